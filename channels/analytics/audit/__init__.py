"""Checks of views and insights: posts show what is counted, today's subscribers are the members, the muted are counted.

What it promises: no false alarm beside a running server; every repair re-checks in its own transaction. What it depends
on: `groups.audit.joins`, and the collections of `channels.analytics.store` and `conversations.store`.
"""
