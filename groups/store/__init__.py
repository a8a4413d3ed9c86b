"""The collections of group chat. Only these modules of the package know the database.

The methods read and write; they hold no rule and publish no event. Inside a transaction every method takes its `Tx`;
without one it reads majority-committed data. Documents of several kinds have the id `group<US>user`.
"""

from groups.store.admin_log import AdminLogStore
from groups.store.changes import ChangeStore
from groups.store.groups import GroupStore
from groups.store.idempotency import IdempotencyStore
from groups.store.invitations import InvitationStore
from groups.store.invite_links import InviteLinkStore
from groups.store.join_requests import JoinRequestStore
from groups.store.media import MediaStore
from groups.store.media_usage import MediaUsageStore
from groups.store.members import MemberStore
from groups.store.message_search import MessageSearchStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore
from groups.store.users import UserStore

INDEXES = (
    *AdminLogStore.INDEXES,
    *ChangeStore.INDEXES,
    *GroupStore.INDEXES,
    *InvitationStore.INDEXES,
    *InviteLinkStore.INDEXES,
    *JoinRequestStore.INDEXES,
    *MediaStore.INDEXES,
    *MediaUsageStore.INDEXES,
    *MemberStore.INDEXES,
    *MessageStore.INDEXES,
    *MessageSearchStore.INDEXES,
    *IdempotencyStore.INDEXES,
    *RestrictionStore.INDEXES,
    *StreamStore.INDEXES,
    *UserStore.INDEXES,
)
