"""Checks of channels: a channel is a group with the marker, a stream with the flag, a document, and one of a count.

What it promises: no false alarm beside a running server; every repair re-checks in its own transaction. What it depends
on: `groups.audit.joins` for the marker, the collections of `channels.store`.
"""
