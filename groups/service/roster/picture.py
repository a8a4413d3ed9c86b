"""A group's membership in memory: what a batch knows of it, changes, and will write."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from groups import policy
from groups.errors import GroupsPerUserReached, MemberLimitReached
from groups.events import LeaveReason, MemberChanged, MembersJoined, MembersLeft
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import Group, JoinRequest, Member, Restriction, Role, Stream
from groups.service.groups import NEAR_LIMIT


@dataclass(slots=True)
class _Run:
    """Members who came one after the other, or went for the same reason: one event for all of them."""

    reason: LeaveReason | None
    """None: they came."""
    user_ids: list[UserId] = field(default_factory=list)
    member_count: int = 0


@dataclass(slots=True)
class Picture:
    """What a batch knows and changes before it writes."""

    limits: GroupLimits
    group: Group
    size: int
    """Members, as of the entries applied so far."""
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
    events: "list[Event | _Run]" = field(default_factory=list)

    def admit(self, user_id: UserId) -> None:
        """Make the user a member.

        Raises: MemberLimitReached; GroupsPerUserReached.
        """
        limit = self.group.limit_of_members(self.limits)
        if self.size >= limit:
            raise MemberLimitReached(limit=limit)
        groups = self.group_counts.get(user_id, 0)
        if groups >= self.limits.groups_per_user:
            raise GroupsPerUserReached(limit=self.limits.groups_per_user)
        if groups + NEAR_LIMIT >= self.limits.groups_per_user:
            self.near_limit.add(user_id)
        restriction = self.restrictions.get(user_id)
        self.members[user_id] = Member(
            group_id=self.group.group_id,
            user_id=user_id,
            role=Role.MEMBER,
            joined_at=self.now,
            joined_seq=self.stream.head_seq,
            # A mute that still runs is not shaken off by leaving and coming back.
            muted_until=restriction.muted_until if restriction else None,
            name_card="",
        )
        self.size += 1
        self.close_request(user_id)
        self._run(None).append(user_id)

    def dismiss(self, member: Member, reason: LeaveReason) -> None:
        """End the membership."""
        del self.members[member.user_id]
        self.departed.append(member.user_id)
        self.size -= 1
        self._run(reason).append(member.user_id)

    def _run(self, reason: LeaveReason | None) -> list[UserId]:
        """Whom the last event is about, if it is of this kind; else a new one."""
        last = self.events[-1] if self.events else None
        if not isinstance(last, _Run) or last.reason is not reason:
            last = _Run(reason)
            self.events.append(last)
        last.member_count = self.size
        return last.user_ids

    def told(self) -> Iterator[Event]:
        """What is announced of the batch, in order."""
        for event in self.events:
            yield self._event_of(event) if isinstance(event, _Run) else event

    def _event_of(self, run: "_Run") -> Event:
        announce = policy.announces_membership(self.group)
        users, count = tuple(run.user_ids), run.member_count
        group_id, is_channel = self.group.group_id, self.group.is_channel
        if run.reason is None:
            return MembersJoined(
                at=self.now,
                group_id=group_id,
                is_channel=is_channel,
                user_ids=users,
                member_count=count,
                announce=announce,
            )
        return MembersLeft(
            at=self.now,
            group_id=group_id,
            is_channel=is_channel,
            user_ids=users,
            reason=run.reason,
            member_count=count,
            announce=announce,
        )

    def replace(self, member: Member) -> None:
        """Give the member a new state."""
        self.members[member.user_id] = member
        # In a channel only its staff and the member himself hear of it: subscribers are hidden from each other.
        audience = (*self.staff, member.user_id) if self.group.is_channel else None
        self.events.append(
            MemberChanged(
                at=self.now,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                user_id=member.user_id,
                role=member.role,
                muted_until=member.muted_until,
                name_card=member.name_card,
                audience=audience,
            )
        )

    def keep_mute(self, user_id: UserId, until: datetime | None) -> None:
        """Remember the mute beyond membership; None forgets it."""
        restriction = self.restriction_of(user_id)
        if restriction.muted_until != until:
            self.restrictions[user_id] = restriction.model_copy(update={"muted_until": until})
            self.changed_restrictions.add(user_id)

    def lift_ban(self, user_id: UserId) -> None:
        """Let the user come back."""
        restriction = self.restriction_of(user_id)
        values = {"banned_at": None, "banned_by": None}
        self.restrictions[user_id] = restriction.model_copy(update=values)
        self.changed_restrictions.add(user_id)

    def close_request(self, user_id: UserId) -> None:
        """Answer the user's join request, if he has one."""
        if user_id in self.requests:
            self.requests.discard(user_id)
            if self.new_requests.pop(user_id, None) is None:
                self.done_requests.add(user_id)

    def ban(self, user_id: UserId, by: UserId) -> None:
        """Keep the user from coming back by himself."""
        values = {"banned_at": self.now, "banned_by": by}
        restriction = self.restriction_of(user_id)
        self.restrictions[user_id] = restriction.model_copy(update=values)
        self.changed_restrictions.add(user_id)
        self.close_request(user_id)

    def is_banned(self, user_id: UserId) -> bool:
        """Whether the user is banned."""
        restriction = self.restrictions.get(user_id)
        return restriction is not None and restriction.banned_at is not None

    def restriction_of(self, user_id: UserId) -> Restriction:
        """What restricts the user, which may be nothing."""
        found = self.restrictions.get(user_id)
        return found or Restriction(group_id=self.group.group_id, user_id=user_id)
