"""One batch of changes to a group's membership, applied in order and written at once.

A batch loads what its entries touch into a picture (`roster`, `picture`), applies entry after entry to it, each
with its own refusal (`rules`), and writes the difference: however many callers it serves, the commands are the same
few. A batch of an import has a way of its own (`admissions`), which makes no model for each id; both share one queue
(`lane`). Group document and member records change in one transaction, so the count equals the records and never
passes the limit (P3).
"""
