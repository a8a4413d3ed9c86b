"""Checks of group chat's stored data: streams (P2), members (P3), and what only a crash of the impossible could leave.

What it promises: no false alarm beside a running server; every repair re-checks in its own transaction; no message is
ever invented or deleted. What it depends on: `groups.kernel`, the collections of `groups.store`. Other packages' audits
ask about groups through `groups.audit.joins`.
"""
