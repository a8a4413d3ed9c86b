"""Checks of stored reactions: every tally equals the reactions (P4), and every reaction belongs to a message.

What it promises: no false alarm beside a running server; every repair re-checks in its own transaction. What it depends
on: `groups.audit.joins` for what a message is, the collections of `reactions.store`.
"""
