"""One batch of changes to a group's membership, applied in order and written at once.

A batch loads what its entries touch into a picture (`roster`, `picture`), applies entry after entry to it, each
with its own refusal (`rules`), and writes the difference: however many callers it serves, the commands are the same
few. A batch of an import has a way of its own (`admissions`), which makes no model for each id; both share one queue
(`lane`). Group document and member records change in one transaction, so the count equals the records and never
passes the limit (P3).
"""

from groups.service.roster.admissions import Admissions
from groups.service.roster.entries import (
    Add,
    Admission,
    AnswerInvitation,
    Approve,
    BanFromReacting,
    Change,
    Entry,
    Import,
    ImportMark,
    Invite,
    Join,
    Leave,
    Membership,
    Outcome,
    Refuse,
    Remove,
    RevokeInvitation,
    Transfer,
    Unban,
)
from groups.service.roster.lane import MembershipLane
from groups.service.roster.roster import Roster

__all__ = [
    "Add",
    "Admission",
    "Admissions",
    "AnswerInvitation",
    "Approve",
    "BanFromReacting",
    "Change",
    "Entry",
    "Import",
    "ImportMark",
    "Invite",
    "Join",
    "Leave",
    "Membership",
    "MembershipLane",
    "Outcome",
    "Refuse",
    "Remove",
    "RevokeInvitation",
    "Roster",
    "Transfer",
    "Unban",
]
