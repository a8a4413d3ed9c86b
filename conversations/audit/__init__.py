"""Checks of conversations (P5): read cursors, settings without a membership, dialogues, threads and inbox totals.

A running server causes no false findings, and every repair checks again in its own transaction.
"""
