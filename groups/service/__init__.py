"""Group chat's rules at work, one module a life cycle; each method's first argument is the actor."""

from groups.service.access import Access
from groups.service.clearing import Clearing
from groups.service.directory import Directory
from groups.service.groups import GroupChanges, GroupService, NewGroup
from groups.service.hooks import Hooks
from groups.service.importing import ImportService
from groups.service.lookup import GroupLookup
from groups.service.membership import Membership, MembershipService
from groups.service.messages import History, MessageService, Posted
from groups.service.roster import Admission, Outcome
from groups.service.standing_list import Card, MembershipReader
from groups.service.users import UserService

__all__ = [
    "Access",
    "Admission",
    "Card",
    "Clearing",
    "Directory",
    "GroupChanges",
    "GroupLookup",
    "GroupService",
    "History",
    "Hooks",
    "ImportService",
    "Membership",
    "MembershipReader",
    "MembershipService",
    "MessageService",
    "NewGroup",
    "Outcome",
    "Posted",
    "UserService",
]
