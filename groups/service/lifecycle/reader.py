"""Groups as an actor sees them: one, several by id, those he is in."""

from collections.abc import Sequence
from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import ID_BYTES, GroupId, is_id
from groups.kernel.paging import count_fitting, cut_page, decode_cursor, encode_cursor, json_size
from groups.models import AccessContext, Stream, stream_of
from groups.service.access.guard import AccessGuard
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.streams import StreamStore


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupReader:
    """Groups with their streams' heads; what the actor must not see is absent."""

    groups: GroupStore
    members: MemberStore
    streams: StreamStore
    guard: AccessGuard

    async def get(self, actor: Actor, group_id: GroupId) -> tuple[AccessContext, Stream]:
        """The group as the actor sees it, and its stream's head.

        Raises: GroupNotFound.
        """
        access = await self.guard.access_of(actor, group_id)
        stream = await self.streams.find(access.group.stream_id)
        if stream is None:  # disbanded between the two reads
            raise GroupNotFound
        return access, stream

    async def get_many(
        self, actor: Actor, group_ids: Sequence[GroupId]
    ) -> list[tuple[AccessContext, Stream] | DomainError]:
        """Each of the groups as the actor sees it, or its own refusal, in the order asked for."""
        asked = [group_id for group_id in group_ids if is_id(group_id, ID_BYTES)]
        groups = await self.groups.find_many(asked)
        streams = await self.streams.find_many(stream_of(group_id) for group_id in groups)
        members = await self.members.find_of_user(actor.user_id, asked)
        found: list[tuple[AccessContext, Stream] | DomainError] = []
        for group_id in group_ids:
            group, stream = groups.get(group_id), streams.get(stream_of(group_id))
            member = members.get(group_id)
            effective_role = policy.effective_role_of(actor, member, None)
            if group is None or stream is None or not policy.may_see(group, effective_role):
                found.append(GroupNotFound())
            else:
                found.append(
                    (
                        AccessContext(group=group, member=member, effective_role=effective_role),
                        stream,
                    )
                )
        return found

    async def list_joined(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[AccessContext, Stream]], str | None]:
        """A page of the groups the actor is in, by id, and the cursor to the next."""
        key = decode_cursor("joined", cursor, str)
        after = str(key[0]) if key else ""
        members = await self.members.list_of_user(actor.user_id, after=after, limit=limit + 1)
        members, has_more = cut_page(members, limit)
        group_ids = [member.group_id for member in members]
        groups = await self.groups.find_many(group_ids)
        streams = await self.streams.find_many(stream_of(group_id) for group_id in groups)
        found: list[tuple[AccessContext, Stream]] = []
        for member in members:
            group, stream = groups.get(member.group_id), streams.get(stream_of(member.group_id))
            if group is not None and stream is not None:
                effective_role = policy.effective_role_of(actor, member, None)
                found.append(
                    (
                        AccessContext(group=group, member=member, effective_role=effective_role),
                        stream,
                    )
                )
        fitting = count_fitting(json_size(access.group) for access, _ in found)
        if fitting < len(found):
            found = found[:fitting]
            return found, encode_cursor("joined", found[-1][0].group.group_id)
        return found, encode_cursor("joined", group_ids[-1]) if has_more else None
