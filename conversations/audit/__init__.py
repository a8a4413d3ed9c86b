"""Checks of what users set on conversations: read cursors (P5), and that nothing outlives its membership.

What it promises: no false alarm beside a running server; every repair re-checks in its own transaction. What it depends
on: `groups.audit.joins` for memberships and heads, the collections of `conversations.store`.
"""
