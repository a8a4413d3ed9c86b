"""Groups as an actor sees them: one, several by id, those the actor is in; for the application all, and any user's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import ID_BYTES, GroupId, UserId, is_id
from groups.kernel.paging import (
    count_fitting,
    cut_page,
    decode_cursor,
    encode_cursor,
    json_size,
    page_by_text,
)
from groups.models import AccessContext, Group, GroupType, Member, Stream, stream_of
from groups.service.access.guard import AccessGuard
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.streams import StreamStore

SeenGroup = tuple[AccessContext, Stream]
"""A group as an actor sees it, and the head of its stream."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupReader:
    """Reads groups; a group that the actor may not see is absent."""

    groups: GroupStore
    members: MemberStore
    streams: StreamStore
    guard: AccessGuard

    async def get(self, actor: Actor, group_id: GroupId) -> SeenGroup:
        access = await self.guard.access_of(actor, group_id)
        stream = await self.streams.find(access.group.stream_id)
        if stream is None:  # disbanded between the two reads
            raise GroupNotFound
        return access, stream

    async def get_many(
        self, actor: Actor, group_ids: Sequence[GroupId]
    ) -> list[SeenGroup | DomainError]:
        """Each of the groups, or the error for it, in the order of the ids."""
        known = [group_id for group_id in group_ids if is_id(group_id, ID_BYTES)]
        groups = await self.groups.find_many(known)
        members = await self.members.find_of_user(actor.user_id, known)
        seen = await self.as_seen(actor, list(groups.values()), members)
        visible = {
            group_id: (access, stream)
            for group_id, (access, stream) in seen.items()
            if policy.may_see(access.group, access.effective_role)
        }
        return [visible.get(group_id) or GroupNotFound() for group_id in group_ids]

    async def list_joined(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[SeenGroup], str | None]:
        """A page of the groups the actor is in, by id, and the cursor to the next page."""
        key = decode_cursor("joined", cursor, str)
        after = str(key[0]) if key else ""
        members = await self.members.list_of_user(actor.user_id, after=after, limit=limit + 1)
        members, has_more = cut_page(members, limit)
        group_ids = [member.group_id for member in members]
        groups = await self.groups.find_many(group_ids)
        seen = await self.as_seen(
            actor,
            [groups[group_id] for group_id in group_ids if group_id in groups],
            {member.group_id: member for member in members},
        )
        found = list(seen.values())
        fitting = count_fitting(json_size(access.group) for access, _ in found)
        if fitting < len(found):
            found = found[:fitting]
            return found, encode_cursor("joined", found[-1][0].group.group_id)
        return found, encode_cursor("joined", group_ids[-1]) if has_more else None

    async def list_of_user(
        self, actor: Actor, user_id: UserId, *, limit: int, cursor: str | None
    ) -> tuple[list[SeenGroup], str | None]:
        """The result of `list_joined` for any user, as they see it (the application)."""
        policy.check(policy.application_refusal(actor))
        return await self.list_joined(Actor(user_id), limit=limit, cursor=cursor)

    async def list_all(
        self, actor: Actor, group_type: GroupType | None, *, limit: int, cursor: str | None
    ) -> tuple[list[SeenGroup], str | None]:
        """A page of all groups, channels included, or of those of one type, by id (the application)."""
        policy.check(policy.application_refusal(actor))
        name = f"all {group_type.value if group_type else 'groups'}"
        read = partial(self.groups.list_by_id, [group_type] if group_type else list(GroupType))
        groups, next_cursor = await page_by_text(
            name, cursor, limit, read, lambda group: group.group_id
        )
        members = await self.members.find_of_user(actor.user_id, [g.group_id for g in groups])
        found = list((await self.as_seen(actor, groups, members)).values())
        fitting = count_fitting(json_size(access.group) for access, _ in found)
        if fitting < len(found):
            found = found[:fitting]
            return found, encode_cursor(name, found[-1][0].group.group_id)
        return found, next_cursor

    async def as_seen(
        self, actor: Actor, groups: Sequence[Group], members: Mapping[GroupId, Member]
    ) -> dict[GroupId, SeenGroup]:
        """The groups with the actor's memberships and the heads of their streams, in the same order.

        A group whose stream is gone was disbanded meanwhile, and is left out. So is a hidden channel that the actor may
        not see.
        """
        streams = await self.streams.find_many(stream_of(group.group_id) for group in groups)
        seen: dict[GroupId, SeenGroup] = {}
        for group in groups:
            access = policy.access_of(actor, group, members.get(group.group_id))
            stream = streams.get(group.stream_id)
            is_shown = not group.is_hidden or policy.may_see(group, access.effective_role)
            if stream is not None and is_shown:
                seen[group.group_id] = access, stream
        return seen
