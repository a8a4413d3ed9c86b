"""Checks of channels: each has a group with the marker, a stream with the flag, and a document, and is counted.

A running server causes no false findings, and every repair checks again in its own transaction.
"""
