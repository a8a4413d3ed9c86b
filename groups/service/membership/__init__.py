"""The life of a membership: joining, adding, leaving, roles, bans, invitations, import, and what changed meanwhile.

Calls of many users to one group are applied in one transaction. A call becomes a command (`commands`) in the group's
queue (`queue`). A batch of commands (`batch`) loads what they touch into one state (`state`), applies command after
command to it, each with its own refusal (`transitions`), and writes the difference: the database commands are the same
few for any number of callers. Imports have a batch of their own (`bulk_import`), which makes no model for each id.
The group document and the member records change in one transaction, so the count equals the records and never passes
the limit (P3).
"""
