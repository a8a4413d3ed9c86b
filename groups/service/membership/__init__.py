"""Memberships: joining, adding, leaving, roles, bans, invitations, imports, and the list of changes since an instant.

One transaction applies the calls of many users to one group. A call becomes a command (`commands`) in the group's queue
(`queue`). A batch of commands (`batch`) loads what they touch into one state (`state`), applies each command to it,
which may refuse (`transitions`, `admins`), and writes the difference: the same few database commands for any number of
callers. An import has batches of its own (`bulk_import`), which make no model for each id, under the same limits
(`capacity`). The group document and the member records change in one transaction, so the count equals the records and
never passes the limit (P3).
"""
