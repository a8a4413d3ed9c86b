"""Group chat's rules at work, one module a life cycle; each method's first argument is the actor."""

from groups.service.access import Access
from groups.service.admin_log import AdminLog
from groups.service.changes import Change, ChangeReader
from groups.service.clearing import Clearing
from groups.service.curation import CurationService
from groups.service.directory import Directory
from groups.service.disbanding import DisbandService
from groups.service.forwarding import ForwardService, said_by
from groups.service.founding import FoundingService, NewGroup
from groups.service.groups import GroupReader
from groups.service.hooks import Hooks, TallyReader
from groups.service.importing import ImportService
from groups.service.invitations import InvitationService
from groups.service.keeping import Keeping
from groups.service.lookup import GroupLookup
from groups.service.media import Bytes, MediaService
from groups.service.membership import Membership, MembershipService
from groups.service.message_changes import MessageChanges
from groups.service.messages import History, MessageService, Posted
from groups.service.posting import Prepared, Take
from groups.service.repeats import Repeatable, Repeats, repeatable
from groups.service.revocations import Revocations
from groups.service.roster import Admission, Outcome
from groups.service.standing_list import Card, MembershipReader
from groups.service.streams import StreamService, cursor_before
from groups.service.updating import GroupChanges, UpdateService
from groups.service.users import UserService
from groups.service.views import MessageViews
from groups.service.write_locks import (
    group_lock,
    message_change_locks,
    message_lock,
    stream_lock,
    user_lock,
)

__all__ = [
    "Access",
    "AdminLog",
    "Admission",
    "Bytes",
    "Card",
    "Change",
    "ChangeReader",
    "Clearing",
    "CurationService",
    "Directory",
    "DisbandService",
    "ForwardService",
    "FoundingService",
    "GroupChanges",
    "GroupLookup",
    "GroupReader",
    "History",
    "Hooks",
    "ImportService",
    "InvitationService",
    "Keeping",
    "MediaService",
    "Membership",
    "MembershipReader",
    "MembershipService",
    "MessageChanges",
    "MessageService",
    "MessageViews",
    "NewGroup",
    "Outcome",
    "Posted",
    "Prepared",
    "Repeatable",
    "Repeats",
    "Revocations",
    "StreamService",
    "Take",
    "TallyReader",
    "UpdateService",
    "UserService",
    "cursor_before",
    "group_lock",
    "message_change_locks",
    "message_lock",
    "repeatable",
    "said_by",
    "stream_lock",
    "user_lock",
]
