"""The collections of group chat together, for services that use most of them."""

from dataclasses import dataclass
from typing import Self

from groups.kernel.mongo import Database
from groups.store.changes import ChangeStore
from groups.store.groups import GroupStore
from groups.store.invitations import InvitationStore
from groups.store.invite_links import InviteLinkStore
from groups.store.join_requests import JoinRequestStore
from groups.store.media import MediaStore
from groups.store.members import MemberStore
from groups.store.message_search import MessageSearchStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore
from groups.store.users import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupStores:
    """The stores of one database."""

    groups: GroupStore
    members: MemberStore
    restrictions: RestrictionStore
    requests: JoinRequestStore
    streams: StreamStore
    messages: MessageStore
    message_search: MessageSearchStore
    users: UserStore
    media: MediaStore
    invitations: InvitationStore
    invite_links: InviteLinkStore
    changes: ChangeStore

    @classmethod
    def of(cls, database: Database) -> Self:
        """The stores of this database."""
        return cls(
            groups=GroupStore(database),
            members=MemberStore(database),
            restrictions=RestrictionStore(database),
            requests=JoinRequestStore(database),
            streams=StreamStore(database),
            messages=MessageStore(database),
            message_search=MessageSearchStore(database),
            users=UserStore(database),
            media=MediaStore(database),
            invitations=InvitationStore(database),
            invite_links=InviteLinkStore(database),
            changes=ChangeStore(database),
        )
