"""Checks of stored reactions: every tally equals the reactions (P4), and every reaction belongs to a message.

What it promises: no false alarm beside a running server; every repair checks again in its own transaction. What it
depends on: `groups.audit.joins` for messages, and the collections of `reactions.store`.
"""
