"""Checks of stored reactions: every tally equals the reactions (P4), and every reaction belongs to a message.

A running server causes no false findings, and every repair checks again in its own transaction.
"""
