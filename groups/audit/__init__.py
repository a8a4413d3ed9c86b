"""The audit of group chat: checks the stored data of streams (P2), members (P3), and what belongs to them.

Promises: no false alarm beside a running server; every repair checks again in its own transaction; no repair creates or
deletes a message. It depends on `groups.kernel` and on the collections of `groups.store`. The audits of other packages
query groups through `groups.audit.joins`.
"""
