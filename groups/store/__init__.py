"""Where group chat is stored: groups, members, restrictions, join requests, users, streams, messages.

The only rooms of this package that know the database. Methods are verbs of storage; no rule, no event. Inside a
transaction every method takes its `Tx`; without one it reads what is majority-committed.
"""

from groups.store.admin_log import AdminLogStore
from groups.store.changes import ChangeStore
from groups.store.groups import GroupStore
from groups.store.idempotency import IdempotencyStore
from groups.store.invitations import InvitationStore
from groups.store.join_requests import JoinRequestStore
from groups.store.media import MediaStore
from groups.store.media_usage import MediaUsageStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore
from groups.store.users import UserStore

INDEXES = (
    *AdminLogStore.INDEXES,
    *ChangeStore.INDEXES,
    *GroupStore.INDEXES,
    *InvitationStore.INDEXES,
    *JoinRequestStore.INDEXES,
    *MediaStore.INDEXES,
    *MediaUsageStore.INDEXES,
    *MemberStore.INDEXES,
    *MessageStore.INDEXES,
    *IdempotencyStore.INDEXES,
    *RestrictionStore.INDEXES,
    *StreamStore.INDEXES,
    *UserStore.INDEXES,
)
