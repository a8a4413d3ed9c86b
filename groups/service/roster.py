"""One batch of changes to a group's membership, applied in order and written at once.

A batch loads what its entries touch (the group, the users' memberships, restrictions and group counts), applies entry
after entry to that picture, each with its own refusal, and writes the difference: however many callers it serves, the
commands are the same few. Group document and member records change in one transaction, so the count equals the records
and never passes the limit (P3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from groups import policy
from groups.errors import (
    Banned,
    GroupNotFound,
    GroupsPerUserReached,
    JoinRequestNotFound,
    MemberLimitReached,
    MemberNotFound,
)
from groups.events import (
    GroupUpdated,
    JoinRefused,
    JoinRequested,
    LeaveReason,
    MemberChanged,
    MembersJoined,
    MembersLeft,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, PermissionRefused
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import (
    Group,
    GroupType,
    JoinOption,
    JoinRequest,
    Member,
    Rank,
    Restriction,
    Role,
    Stream,
    stream_of,
)
from groups.service.groups import NEAR_LIMIT
from groups.service.hooks import Hooks
from groups.store import GroupStore, MemberStore, MessageStore, UserStore


@dataclass(frozen=True, slots=True)
class Join:
    """The actor wants in."""

    actor: Actor
    text: str


@dataclass(frozen=True, slots=True)
class Add:
    """The actor brings a user in."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Approve:
    """The actor admits a user who asked."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Refuse:
    """The actor turns a request down, or withdraws his own."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Leave:
    """The actor goes."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Remove:
    """The actor removes a user, for good with `ban`."""

    actor: Actor
    user_id: UserId
    ban: bool


@dataclass(frozen=True, slots=True)
class Unban:
    """The actor lifts a ban."""

    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Change:
    """The actor changes a member; None leaves a field as it is, `mute_seconds` 0 ends a mute."""

    actor: Actor
    user_id: UserId
    role: Role | None
    mute_seconds: int | None
    name_card: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """The actor gives the group away."""

    actor: Actor
    user_id: UserId


Entry = Join | Add | Approve | Refuse | Leave | Remove | Unban | Change | Transfer


@dataclass(frozen=True, slots=True)
class Membership:
    """How a membership stands after a call: the group, the member (None: not, or not yet), the stream's head.

    `changed` is False for a repeat; `is_pending` is True while approval is awaited.
    """

    group: Group
    member: Member | None
    stream: Stream
    rank: Rank
    changed: bool = True
    is_pending: bool = False


@dataclass(slots=True)
class _Picture:
    """What a batch knows and changes before it writes."""

    group: Group
    size: int
    stream: Stream
    now: datetime
    before: dict[UserId, Member]
    members: dict[UserId, Member]
    restrictions: dict[UserId, Restriction]
    group_counts: dict[UserId, int]
    requests: set[UserId]
    staff: list[UserId]
    new_requests: dict[UserId, JoinRequest] = field(default_factory=dict)
    done_requests: set[UserId] = field(default_factory=set)
    changed_restrictions: set[UserId] = field(default_factory=set)
    departed: list[UserId] = field(default_factory=list)
    near_limit: set[UserId] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)


class Roster:
    """Applies batches of membership changes."""

    def __init__(
        self,
        groups: GroupStore,
        members: MemberStore,
        messages: MessageStore,
        users: UserStore,
        hooks: Hooks,
        limits: GroupLimits,
        clock: Clock,
    ) -> None:
        self._groups = groups
        self._members = members
        self._messages = messages
        self._users = users
        self._hooks = hooks
        self._limits = limits
        self._clock = clock

    async def apply(
        self, tx: Tx, key: str, entries: Sequence[Entry]
    ) -> Sequence[Membership | DomainError]:
        """Apply the entries of one group in order; for each its outcome."""
        picture = await self._load(GroupId(key), entries, tx)
        if picture is None:
            return [GroupNotFound() for _ in entries]
        owner_before = picture.group.owner_id
        outcomes: list[Membership | DomainError] = []
        for entry in entries:
            try:
                outcomes.append(self._apply(picture, entry))
            except DomainError as refusal:
                outcomes.append(refusal)
        await self._write(picture, owner_before, tx)
        return [self._at_the_end(outcome, picture) for outcome in outcomes]

    async def _load(self, group_id: GroupId, entries: Sequence[Entry], tx: Tx) -> _Picture | None:
        group = await self._groups.find(group_id, tx)
        stream = await self._messages.find_stream(stream_of(group_id), tx)
        if group is None or stream is None:
            return None
        users = {_subject(entry) for entry in entries} | {entry.actor.user_id for entry in entries}
        if group.owner_id and any(isinstance(entry, Transfer) for entry in entries):
            users.add(group.owner_id)
        members = await self._members.find_many(group_id, users, tx)
        restrictions = await self._members.find_restrictions(group_id, users, tx)
        comers = {_subject(e) for e in entries if isinstance(e, Join | Add | Approve)}
        comers -= members.keys()
        counts = await self._members.count_groups(list(comers), tx) if comers else {}
        asks = {_subject(e) for e in entries if isinstance(e, Approve | Refuse | Add | Remove)}
        if group.join_option is JoinOption.APPROVAL:
            asks |= comers
        requests = await self._members.find_requests(group_id, asks, tx) if asks else set()
        wants_staff = any(isinstance(e, Change | Transfer) for e in entries) or (
            group.join_option is JoinOption.APPROVAL
        )
        staff = await self._members.find_staff(group_id, tx) if wants_staff else []
        return _Picture(
            group=group,
            size=group.member_count,
            stream=stream,
            now=self._clock.now(),
            before=members,
            members=dict(members),
            restrictions=restrictions,
            group_counts=counts,
            requests=requests,
            staff=[member.user_id for member in staff],
        )

    # --- entries --------------------------------------------------------------------------------------------------

    def _apply(self, picture: _Picture, entry: Entry) -> Membership:
        actor = entry.actor
        rank = policy.rank_of(
            actor, picture.members.get(actor.user_id), picture.restrictions.get(actor.user_id)
        )
        if not policy.may_see(picture.group, rank):
            raise GroupNotFound
        changed, is_pending = self._apply_as(picture, entry, rank)
        member = picture.members.get(_subject(entry))
        return Membership(picture.group, member, picture.stream, rank, changed, is_pending)

    def _apply_as(self, picture: _Picture, entry: Entry, rank: Rank) -> tuple[bool, bool]:
        match entry:
            case Join():
                return self._join(picture, entry, rank)
            case Add():
                return self._add(picture, entry, rank), False
            case Approve():
                return self._approve(picture, entry, rank), False
            case Refuse():
                return self._refuse(picture, entry, rank), False
            case Leave():
                return self._leave(picture, entry), False
            case Remove():
                return self._remove(picture, entry, rank), False
            case Unban():
                return self._unban(picture, entry, rank), False
            case Change():
                return self._change(picture, entry, rank), False
            case Transfer():
                return self._transfer(picture, entry, rank), False
            case _ as unreachable:
                assert_never(unreachable)

    def _join(self, picture: _Picture, entry: Join, rank: Rank) -> tuple[bool, bool]:
        user_id = entry.actor.user_id
        if user_id in picture.members:
            return False, False
        refusal = policy.joining_refusal(picture.group, rank)
        if refusal is not None:
            raise refusal
        asks_first = picture.group.join_option is JoinOption.APPROVAL and rank != Rank.APP_ADMIN
        if not asks_first:
            self._admit(picture, user_id)
            return True, False
        if user_id in picture.requests:
            return False, True
        group_id = picture.group.group_id
        picture.requests.add(user_id)
        picture.new_requests[user_id] = JoinRequest(
            group_id=group_id, user_id=user_id, text=entry.text, requested_at=picture.now
        )
        picture.events.append(
            JoinRequested(
                at=picture.now,
                group_id=group_id,
                user_id=user_id,
                text=entry.text,
                audience=tuple(picture.staff),
            )
        )
        return True, True

    def _add(self, picture: _Picture, entry: Add, rank: Rank) -> bool:
        refusal = policy.adding_refusal(picture.group, rank)
        if refusal is not None:
            raise refusal
        if entry.user_id in picture.members:
            return False
        is_banned = _is_banned(picture, entry.user_id)
        if is_banned and rank < Rank.ADMIN:
            raise Banned("The user is banned here")
        self._admit(picture, entry.user_id)
        if is_banned:  # only now: in a full group he stays banned
            self._lift_ban(picture, entry.user_id)
        return True

    def _approve(self, picture: _Picture, entry: Approve, rank: Rank) -> bool:
        if not policy.may_manage_requests(rank):
            raise PermissionRefused
        if entry.user_id in picture.members:
            # He came in another way while it waited.
            self._close_request(picture, entry.user_id)
            return False
        if entry.user_id not in picture.requests:
            raise JoinRequestNotFound
        self._admit(picture, entry.user_id)
        return True

    def _refuse(self, picture: _Picture, entry: Refuse, rank: Rank) -> bool:
        is_own = entry.user_id == entry.actor.user_id
        if not is_own and not policy.may_manage_requests(rank):
            raise PermissionRefused
        if entry.user_id not in picture.requests:
            raise JoinRequestNotFound
        self._close_request(picture, entry.user_id)
        if not is_own:
            picture.events.append(
                JoinRefused(at=picture.now, group_id=picture.group.group_id, user_id=entry.user_id)
            )
        return True

    def _leave(self, picture: _Picture, entry: Leave) -> bool:
        member = picture.members.get(entry.actor.user_id)
        if member is None:
            return False
        refusal = policy.leaving_refusal(picture.group, member)
        if refusal is not None:
            raise refusal
        if member.role is Role.OWNER:
            picture.group = picture.group.model_copy(update={"owner_id": None})
        self._dismiss(picture, member, LeaveReason.LEFT)
        return True

    def _remove(self, picture: _Picture, entry: Remove, rank: Rank) -> bool:
        member = picture.members.get(entry.user_id)
        refusal = policy.removing_refusal(rank, member) or policy.removing_owner_refusal(member)
        if refusal is not None:
            raise refusal
        newly_banned = entry.ban and not _is_banned(picture, entry.user_id)
        if newly_banned:
            restriction = _restriction(picture, entry.user_id)
            values = {"banned_at": picture.now, "banned_by": entry.actor.user_id}
            picture.restrictions[entry.user_id] = restriction.model_copy(update=values)
            picture.changed_restrictions.add(entry.user_id)
            self._close_request(picture, entry.user_id)
        if member is None:
            return newly_banned
        self._dismiss(picture, member, LeaveReason.BANNED if entry.ban else LeaveReason.REMOVED)
        return True

    def _unban(self, picture: _Picture, entry: Unban, rank: Rank) -> bool:
        if rank < Rank.ADMIN:
            raise PermissionRefused
        if not _is_banned(picture, entry.user_id):
            return False
        self._lift_ban(picture, entry.user_id)
        return True

    def _change(self, picture: _Picture, entry: Change, rank: Rank) -> bool:
        member = picture.members.get(entry.user_id)
        is_own = entry.user_id == entry.actor.user_id
        # Who may not list members must not learn here who is one.
        if not is_own and rank < Rank.ADMIN:
            raise PermissionRefused
        if member is None:
            raise MemberNotFound
        changed = member
        if entry.role is not None and entry.role is not member.role:
            refusal = policy.appointing_refusal(picture.group, rank, member)
            if refusal is not None:
                raise refusal
            changed = changed.model_copy(update={"role": entry.role})
        if entry.mute_seconds is not None:
            refusal = policy.muting_refusal(picture.group, rank, member)
            if refusal is not None:
                raise refusal
            until = picture.now + timedelta(seconds=entry.mute_seconds)
            muted_until = until if entry.mute_seconds else None
            changed = changed.model_copy(update={"muted_until": muted_until})
            self._keep_mute(picture, entry.user_id, muted_until)
        if entry.name_card is not None:
            if not is_own and policy.removing_refusal(rank, member) is not None:
                raise PermissionRefused
            changed = changed.model_copy(update={"name_card": entry.name_card})
        if changed == member:
            return False
        self._replace(picture, changed)
        return True

    def _transfer(self, picture: _Picture, entry: Transfer, rank: Rank) -> bool:
        refusal = policy.transferring_refusal(rank)
        if refusal is not None:
            raise refusal
        heir = picture.members.get(entry.user_id)
        if heir is None:
            raise MemberNotFound
        if heir.role is Role.OWNER:
            return False
        former_id = picture.group.owner_id
        former = picture.members.get(former_id) if former_id else None
        if former is not None:
            is_work = picture.group.type is GroupType.WORK
            role = Role.MEMBER if is_work else Role.ADMIN
            self._replace(picture, former.model_copy(update={"role": role}))
        self._keep_mute(picture, heir.user_id, None)
        self._replace(picture, heir.model_copy(update={"role": Role.OWNER, "muted_until": None}))
        picture.group = picture.group.model_copy(update={"owner_id": heir.user_id})
        return True

    # --- what entries share ---------------------------------------------------------------------------------------

    def _admit(self, picture: _Picture, user_id: UserId) -> None:
        limit = picture.group.limit_of_members(self._limits)
        if picture.size >= limit:
            raise MemberLimitReached(limit=limit)
        groups = picture.group_counts.get(user_id, 0)
        if groups >= self._limits.groups_per_user:
            raise GroupsPerUserReached(limit=self._limits.groups_per_user)
        if groups + NEAR_LIMIT >= self._limits.groups_per_user:
            picture.near_limit.add(user_id)
        restriction = picture.restrictions.get(user_id)
        picture.members[user_id] = Member.model_construct(
            group_id=picture.group.group_id,
            user_id=user_id,
            role=Role.MEMBER,
            joined_at=picture.now,
            joined_seq=picture.stream.head_seq,
            # A mute that still runs is not shaken off by leaving and coming back.
            muted_until=restriction.muted_until if restriction else None,
            name_card="",
        )
        picture.size += 1
        self._close_request(picture, user_id)
        last = picture.events[-1] if picture.events else None
        if isinstance(last, MembersJoined):
            update = {"user_ids": (*last.user_ids, user_id), "member_count": picture.size}
            picture.events[-1] = last.model_copy(update=update)
        else:
            picture.events.append(
                MembersJoined(
                    at=picture.now,
                    group_id=picture.group.group_id,
                    is_channel=picture.group.is_channel,
                    user_ids=(user_id,),
                    member_count=picture.size,
                    announce=policy.announces_membership(picture.group),
                )
            )

    def _dismiss(self, picture: _Picture, member: Member, reason: LeaveReason) -> None:
        del picture.members[member.user_id]
        picture.departed.append(member.user_id)
        picture.size -= 1
        last = picture.events[-1] if picture.events else None
        if isinstance(last, MembersLeft) and last.reason is reason:
            update = {
                "user_ids": (*last.user_ids, member.user_id),
                "member_count": picture.size,
            }
            picture.events[-1] = last.model_copy(update=update)
        else:
            picture.events.append(
                MembersLeft(
                    at=picture.now,
                    group_id=picture.group.group_id,
                    is_channel=picture.group.is_channel,
                    user_ids=(member.user_id,),
                    reason=reason,
                    member_count=picture.size,
                    announce=policy.announces_membership(picture.group),
                )
            )

    def _replace(self, picture: _Picture, member: Member) -> None:
        picture.members[member.user_id] = member
        # In a channel only its staff and the member himself hear of it: subscribers are hidden from each other.
        audience = (*picture.staff, member.user_id) if picture.group.is_channel else None
        picture.events.append(
            MemberChanged(
                at=picture.now,
                group_id=picture.group.group_id,
                is_channel=picture.group.is_channel,
                user_id=member.user_id,
                role=member.role,
                muted_until=member.muted_until,
                name_card=member.name_card,
                audience=audience,
            )
        )

    @staticmethod
    def _keep_mute(picture: _Picture, user_id: UserId, until: datetime | None) -> None:
        restriction = _restriction(picture, user_id)
        if restriction.muted_until != until:
            picture.restrictions[user_id] = restriction.model_copy(update={"muted_until": until})
            picture.changed_restrictions.add(user_id)

    @staticmethod
    def _lift_ban(picture: _Picture, user_id: UserId) -> None:
        restriction = _restriction(picture, user_id)
        values = {"banned_at": None, "banned_by": None}
        picture.restrictions[user_id] = restriction.model_copy(update=values)
        picture.changed_restrictions.add(user_id)

    @staticmethod
    def _close_request(picture: _Picture, user_id: UserId) -> None:
        if user_id in picture.requests:
            picture.requests.discard(user_id)
            if picture.new_requests.pop(user_id, None) is None:
                picture.done_requests.add(user_id)

    # --- write ----------------------------------------------------------------------------------------------------

    async def _write(self, picture: _Picture, owner_before: UserId | None, tx: Tx) -> None:
        group_id = picture.group.group_id
        gone = [user for user in picture.before if user not in picture.members]
        new = [member for user, member in picture.members.items() if user not in picture.before]
        if gone:
            await self._members.delete_many(group_id, gone, tx)
        await self._members.insert_many(new, tx)
        for user, member in picture.members.items():
            if user in picture.before and picture.before[user] != member:
                await self._members.replace(member, tx)
        if picture.departed:
            for hook in self._hooks.members_left:
                await hook(group_id, picture.departed, tx)
        await self._write_group(picture, owner_before, tx)
        for user in picture.changed_restrictions:
            await self._members.put_restriction(picture.restrictions[user], tx)
        # In this order: who was refused may have asked again in the same batch.
        if picture.done_requests:
            await self._members.delete_requests(group_id, picture.done_requests, tx)
        for request in picture.new_requests.values():
            await self._members.insert_request(request, tx)
        for user in picture.near_limit:
            await self._users.touch(user, tx)
        for event in picture.events:
            tx.publish(event)

    async def _write_group(self, picture: _Picture, owner_before: UserId | None, tx: Tx) -> None:
        group = picture.group
        values: dict[str, object] = {}
        if group.owner_id != owner_before:
            values["owner_id"] = group.owner_id
            picture.group = group.model_copy(update={"version": group.version + 1})
            picture.events.append(
                GroupUpdated(
                    at=picture.now,
                    group_id=group.group_id,
                    is_channel=group.is_channel,
                    changed={"owner_id": group.owner_id},
                    version=group.version + 1,
                )
            )
        joined = picture.size - group.member_count
        if values or joined:
            await self._groups.update(group.group_id, values, tx, joined=joined)
            picture.group = picture.group.model_copy(update={"member_count": picture.size})
        elif picture.events or picture.changed_restrictions or picture.done_requests:
            # Else a ban here and a join in another process would each miss the other, and both be committed.
            await self._groups.touch(group.group_id, tx)

    @staticmethod
    def _at_the_end(
        outcome: Membership | DomainError, picture: _Picture
    ) -> Membership | DomainError:
        if isinstance(outcome, DomainError):
            return outcome
        # The group as committed: its count is the one after the whole batch.
        return Membership(
            picture.group,
            outcome.member,
            outcome.stream,
            outcome.rank,
            outcome.changed,
            outcome.is_pending,
        )


def _subject(entry: Entry) -> UserId:
    return entry.actor.user_id if isinstance(entry, Join | Leave) else entry.user_id


def _is_banned(picture: _Picture, user_id: UserId) -> bool:
    restriction = picture.restrictions.get(user_id)
    return restriction is not None and restriction.banned_at is not None


def _restriction(picture: _Picture, user_id: UserId) -> Restriction:
    found = picture.restrictions.get(user_id)
    return found or Restriction(group_id=picture.group.group_id, user_id=user_id)
