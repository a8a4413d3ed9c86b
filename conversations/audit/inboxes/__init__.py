"""Checks of the totals of channels' inboxes (P5): they are kept beside the threads, and equal them.

What it promises: no false alarm beside a running server; the repair counts and stores in one transaction. What it
depends on: the collections of `conversations.store.threads` and `conversations.store.inbox_totals`.
"""
