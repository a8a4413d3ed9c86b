"""A group's membership in memory, which a batch reads, changes, and then writes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from groups import policy
from groups.errors import AdminLimitReached, InvitationLimitReached
from groups.events import (
    InvitationEnd,
    InvitationEnded,
    LeaveReason,
    MemberChanged,
    MembersLeft,
    StrangerBanned,
)
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import (
    AdminAct,
    AdminAction,
    Departure,
    DepartureKind,
    DepartureReason,
    Group,
    Invitation,
    JoinRequest,
    Member,
    MemberCountChange,
    Restriction,
    Role,
    Stream,
)
from groups.service.membership.capacity import Capacity, members_joined
from groups.service.membership.commands import Command, subject_of


@dataclass(slots=True)
class _Run:
    """Members who joined, or left for the same reason, one after the other: one event for all of them."""

    reason: LeaveReason | None
    """None: they joined."""
    user_ids: list[UserId] = field(default_factory=list)
    member_count: int = 0


@dataclass(slots=True)
class MembershipState:
    """The state that a batch changes before it writes: all but `before` as of the commands applied so far."""

    limits: GroupLimits
    is_business: Callable[[UserId], bool]
    group: Group
    capacity: Capacity
    stream: Stream
    now: datetime
    before: dict[UserId, Member]
    """The members as stored."""
    members: dict[UserId, Member]
    restrictions: dict[UserId, Restriction]
    group_counts: dict[UserId, int]
    requests: set[UserId]
    staff: list[UserId]
    admins: set[UserId]
    """Known where the batch may make one."""
    invitations: dict[UserId, Invitation]
    open_invitations: int
    """Of the whole group; known where the batch may make one."""
    profile: dict[str, object] | None
    """The fields that higher packages add to the group's profile; known where somebody may join."""
    changed_invitations: set[UserId] = field(default_factory=set)
    admin_acts: list[AdminAct] = field(default_factory=list)
    new_requests: dict[UserId, JoinRequest] = field(default_factory=dict)
    answered_requests: set[UserId] = field(default_factory=set)
    changed_restrictions: set[UserId] = field(default_factory=set)
    left: list[UserId] = field(default_factory=list)
    events: "list[Event | _Run]" = field(default_factory=list)

    def admit(self, user_id: UserId) -> None:
        groups = self.group_counts.get(user_id, 0)
        policy.check(self.capacity.refusal(groups))
        self.capacity.admit(user_id, groups)
        restriction = self.restrictions.get(user_id)
        self.members[user_id] = Member(
            group_id=self.group.group_id,
            user_id=user_id,
            role=Role.MEMBER,
            joined_at=self.group.joining_time(self.now),
            joined_seq=self.stream.head_seq,
            # A mute outlives the membership: leaving and joining again does not end it.
            muted_until=restriction.muted_until if restriction else None,
        )
        self.close_request(user_id)
        self._current_run(None).append(user_id)

    def end_membership(self, member: Member, reason: LeaveReason) -> None:
        del self.members[member.user_id]
        self.admins.discard(member.user_id)
        self.left.append(member.user_id)
        self.capacity.member_count -= 1
        self._current_run(reason).append(member.user_id)

    def _current_run(self, reason: LeaveReason | None) -> list[UserId]:
        """The users of the last event, if it is of this kind; otherwise of a new event."""
        last = self.events[-1] if self.events else None
        if not isinstance(last, _Run) or last.reason is not reason:
            last = _Run(reason)
            self.events.append(last)
        last.member_count = self.capacity.member_count
        return last.user_ids

    def count_change(self) -> MemberCountChange:
        sums = {None: 0, LeaveReason.LEFT: 0, LeaveReason.REMOVED: 0, LeaveReason.BANNED: 0}
        for event in self.events:
            if isinstance(event, _Run):
                sums[event.reason] += len(event.user_ids)
        removed = sums[LeaveReason.REMOVED] + sums[LeaveReason.BANNED]
        return MemberCountChange(
            sums[None], sums[LeaveReason.LEFT], removed, self.capacity.member_count, self.now
        )

    def departures(self) -> list[Departure]:
        """The users who are no longer members, with reasons; of several departures of one user the last counts."""
        group_id = self.group.group_id
        reasons = {
            user_id: event.reason
            for event in self.events
            if isinstance(event, _Run) and event.reason is not None
            for user_id in event.user_ids
            if user_id not in self.members
        }
        kind = DepartureKind.CHANNEL if self.group.is_channel else DepartureKind.GROUP
        return [
            Departure(group_id, user_id, DepartureReason(reason.value), self.now, kind)
            for user_id, reason in reasons.items()
        ]

    def pending_events(self) -> Iterator[Event]:
        for event in self.events:
            yield self._event_of(event) if isinstance(event, _Run) else event

    def _event_of(self, run: "_Run") -> Event:
        users, count = tuple(run.user_ids), run.member_count
        if run.reason is None:
            return members_joined(
                self.group, users, member_count=count, profile=self.profile, at=self.now
            )
        return MembersLeft(
            at=self.now,
            group_id=self.group.group_id,
            is_channel=self.group.is_channel,
            user_ids=users,
            reason=run.reason,
            member_count=count,
            announce=policy.announces_membership(self.group),
        )

    def replace(self, member: Member) -> None:
        self.members[member.user_id] = member
        if member.role is Role.ADMIN:
            self.admins.add(member.user_id)
        else:
            self.admins.discard(member.user_id)
        # In a channel only the staff and the member are notified: subscribers are hidden from each other.
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
                grants=member.granted,
                audience=audience,
            )
        )

    def check_admin_limit(self, besides: UserId | None = None) -> None:
        """Refuse one more admin at the limit; `besides` is an admin who will be none."""
        if len(self.admins - {besides}) >= self.limits.admins:
            raise AdminLimitReached(limit=self.limits.admins)

    def check_invitation_limit(self) -> None:
        if self.open_invitations >= self.limits.admin_invitations:
            raise InvitationLimitReached(limit=self.limits.admin_invitations)

    def put_invitation(self, invitation: Invitation) -> None:
        """Store the invitation, in place of an earlier one."""
        before = self.invitations.get(invitation.user_id)
        self.open_invitations += not (before and before.is_open(self.now))
        self.invitations[invitation.user_id] = invitation
        self.changed_invitations.add(invitation.user_id)

    def end_invitation(self, user_id: UserId, reason: InvitationEnd) -> bool:
        """Remove the user's invitation. Returns whether there was one."""
        invitation = self.invitations.pop(user_id, None)
        if invitation is None:
            return False
        self.open_invitations -= invitation.is_open(self.now)
        self.changed_invitations.add(user_id)
        owner_id = self.group.owner_id
        self.events.append(
            InvitationEnded(
                at=self.now,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                user_id=user_id,
                reason=reason,
                audience=(user_id, owner_id) if owner_id else (user_id,),
            )
        )
        return True

    def log(
        self,
        command: Command,
        action: AdminAction,
        *,
        before: Mapping[str, object] = MappingProxyType({}),
        after: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self.admin_acts.append(AdminAct(command.actor, action, subject_of(command), before, after))

    def remember_mute(self, user_id: UserId, until: datetime | None) -> None:
        """Store the mute beyond the membership; None removes it."""
        if self.restriction_of(user_id).muted_until != until:
            self.restrict(user_id, muted_until=until)

    def lift_ban(self, user_id: UserId) -> None:
        self.restrict(user_id, banned_at=None, banned_by=None)

    def close_request(self, user_id: UserId) -> None:
        if user_id in self.requests:
            self.requests.discard(user_id)
            if self.new_requests.pop(user_id, None) is None:
                self.answered_requests.add(user_id)

    def ban(self, user_id: UserId, by: UserId) -> None:
        self.restrict(user_id, banned_at=self.now, banned_by=by)
        self.close_request(user_id)
        if user_id not in self.members:
            # `MembersLeft` announces the ban of a member.
            self.events.append(
                StrangerBanned(
                    at=self.now,
                    group_id=self.group.group_id,
                    is_channel=self.group.is_channel,
                    user_id=user_id,
                )
            )

    def is_banned(self, user_id: UserId) -> bool:
        restriction = self.restrictions.get(user_id)
        return restriction is not None and restriction.banned_at is not None

    def restriction_of(self, user_id: UserId) -> Restriction:
        """The user's restriction, which may restrict nothing."""
        found = self.restrictions.get(user_id)
        return found or Restriction(group_id=self.group.group_id, user_id=user_id)

    def restrict(self, user_id: UserId, **values: object) -> None:
        self.restrictions[user_id] = self.restriction_of(user_id).model_copy(update=values)
        self.changed_restrictions.add(user_id)
