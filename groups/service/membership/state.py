"""A group's membership in memory, which a batch reads, changes, and then writes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from groups import policy
from groups.errors import (
    AdminLimitReached,
    InvitationLimitReached,
    InvitationsPerUserReached,
    JoinRequestsPerUserReached,
)
from groups.events import (
    InvitationEnded,
    InviteLinkUsed,
    JoinAnswered,
    JoinRequested,
    LeaveReason,
    MemberChanged,
    MembersLeft,
    StrangerBanned,
)
from groups.kernel.actor import Actor
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import (
    AdminAct,
    AdminAction,
    Departure,
    DepartureKind,
    DepartureReason,
    Grant,
    Group,
    Invitation,
    InvitationEnd,
    InviteLink,
    JoinRequest,
    Member,
    MemberCountChange,
    RequestEnd,
    Restriction,
    Role,
    Stream,
)
from groups.service.membership.capacity import (
    Capacity,
    members_joined,
    most_invitations,
)
from groups.service.membership.commands import Command, subject_of
from groups.store.join_requests import Asked


@dataclass(slots=True)
class _Run:
    """Members who joined in one way, or left for the same reason, one after the other: one event for all of them."""

    reason: LeaveReason | None
    """None: they joined."""
    by_others: bool = False
    """Whether others made them members, and no act of their own did."""
    user_ids: list[UserId] = field(default_factory=list)
    member_count: int = 0
    invite_links: dict[UserId, str] = field(default_factory=dict)
    """The codes of the links by which users of a run joined."""


@dataclass(slots=True)
class _LinkChange:
    """The changes of the counts of an invite link by the commands of a batch."""

    joined: list[UserId] = field(default_factory=list)
    pending: int = 0


@dataclass(slots=True)
class MembershipState:
    """The state that a batch changes before it writes: all but `before` as of the commands applied so far."""

    limits: GroupLimits
    is_business: Callable[[UserId], bool]
    group: Group
    capacity: Capacity
    """Its counts of users are shared by all groups of the transaction."""
    stream: Stream
    now: datetime
    before: dict[UserId, Member]
    """The members as stored."""
    members: dict[UserId, Member]
    restrictions: dict[UserId, Restriction]
    blocks: Collection[tuple[str, str]]
    """Who blocks whom, and which groups, among those whom an adder or inviter may disturb."""
    requests: Asked
    """Users with a join request, among those whom the batch may make members."""
    invite_links: dict[str, InviteLink]
    """By code: those by which users join, and by which the users of `requests` asked."""
    invitations: dict[UserId, Invitation]
    """Open ones, expired ones, and those that ended a while ago."""
    open_invitations: dict[Role, int]
    """Of the whole group; known where the batch may make one."""
    profile: dict[str, object] | None
    """The fields that higher packages add to the group's profile; known where somebody may join."""
    staff: list[UserId] = field(default_factory=list)
    knows_staff: bool = False
    managers: list[UserId] = field(default_factory=list)
    """Of the staff those who may answer join requests; known where the batch may make or end one."""
    link_changes: dict[str, _LinkChange] = field(default_factory=dict)
    admins: set[UserId] = field(default_factory=set)
    """Known where the batch may make one."""
    owner_before: UserId | None = field(init=False)
    """As stored."""
    changed_invitations: set[UserId] = field(default_factory=set)
    admin_acts: list[AdminAct] = field(default_factory=list)
    new_requests: dict[UserId, JoinRequest] = field(default_factory=dict)
    answered_requests: set[UserId] = field(default_factory=set)
    changed_restrictions: set[UserId] = field(default_factory=set)
    left: list[UserId] = field(default_factory=list)
    events: "list[Event | _Run]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner_before = self.group.owner_id

    @property
    def has_changed(self) -> bool:
        """Whether anything is to be written."""
        return bool(
            self.events
            or self.changed_restrictions
            or self.answered_requests
            or self.changed_invitations
        )

    def know_staff(self, staff: Iterable[Member]) -> None:
        """Take note of the owner and the admins, as stored."""
        members = list(staff)
        self.knows_staff = True
        self.staff = [member.user_id for member in members]
        self.managers = [m.user_id for m in members if m.holds(Grant.MANAGE_SUBSCRIBERS)]
        self.admins = {member.user_id for member in members if member.role is Role.ADMIN}

    def must_ask(self, adder: Actor, user_id: UserId) -> bool:
        """Whether this user becomes a member only by accepting an invitation, since nothing says that they agree."""
        if adder.is_app_admin or user_id in self.requests:
            return False
        if not policy.adds_at_once(self.group):
            return True
        invitation = self.invitations.get(user_id)
        return (
            (invitation is not None and invitation.is_open(self.now))
            or self.restriction_of(user_id).left_at is not None
            or self.is_blocked(adder, user_id)
            or not self.capacity.may_add(user_id)
        )

    def is_blocked(self, actor: Actor, user_id: UserId) -> bool:
        """Whether the user blocks the actor or the group. The application's admin is not a person to block."""
        pairs = ((user_id, actor.user_id), (user_id, self.group.group_id))
        return not actor.is_app_admin and any(pair in self.blocks for pair in pairs)

    def admit(
        self,
        user_id: UserId,
        *,
        has_agreed: bool = True,
        by_others: bool = False,
        by: InviteLink | None = None,
        request_end: RequestEnd = RequestEnd.JOINED,
    ) -> None:
        """Make the user a member. `has_agreed` False: another member adds them, and nothing says that they agree.

        `by_others`: it is by no act of the user's own (`MembersJoined.by_others`).
        `by` is the invite link of which this is a use. `request_end` is what the user's join request ends with, if
        there is one.
        """
        capacity = self.capacity
        policy.check(capacity.refusal(user_id) if has_agreed else capacity.full_refusal())
        capacity.admit(user_id, has_agreed=has_agreed)
        restriction = self.restrictions.get(user_id)
        if restriction is not None and restriction.left_at is not None:
            self.restrict(user_id, left_at=None)
        self.members[user_id] = Member(
            group_id=self.group.group_id,
            user_id=user_id,
            role=Role.MEMBER,
            joined_at=self.group.joining_time(self.now),
            joined_seq=self.stream.head_seq,
            # A mute outlives the membership: leaving and joining again does not end it.
            muted_until=restriction.muted_until if restriction else None,
            has_agreed=has_agreed,
        )
        self.close_request(user_id, request_end)
        run = self._current_run(None, by_others=by_others)
        run.user_ids.append(user_id)
        if by is not None:
            run.invite_links[user_id] = by.code
            self._change_link(by.code, joined=user_id)
        invitation = self.invitations.get(user_id)
        if invitation is not None and invitation.role is Role.MEMBER:
            self.end_invitation(user_id, InvitationEnd.ACCEPTED)
        self._forget_refusal(user_id)

    def _forget_refusal(self, user_id: UserId) -> None:
        """A user who declined once and came in later may be asked again when they are gone."""
        invitation = self.invitations.get(user_id)
        if invitation is not None and invitation.declined_at is not None:
            self.invitations[user_id] = invitation.model_copy(update={"declined_at": None})
            self.changed_invitations.add(user_id)

    def agree(self, member: Member) -> None:
        """Have the member whom others added agree to the membership, which now counts for their limit of groups."""
        policy.check(self.capacity.groups_refusal(member.user_id))
        self.capacity.agree(member.user_id)
        self.members[member.user_id] = replace(member, has_agreed=True)

    def end_membership(self, member: Member, reason: LeaveReason) -> None:
        del self.members[member.user_id]
        self.admins.discard(member.user_id)
        self.left.append(member.user_id)
        self.capacity.end(member.user_id, has_agreed=member.has_agreed)
        self._current_run(reason).user_ids.append(member.user_id)

    def _current_run(self, reason: LeaveReason | None, *, by_others: bool = False) -> _Run:
        """The last event, if it is of this kind; otherwise a new one."""
        last = self.events[-1] if self.events else None
        if not isinstance(last, _Run) or (last.reason, last.by_others) != (reason, by_others):
            last = _Run(reason, by_others)
            self.events.append(last)
        last.member_count = self.capacity.member_count
        return last

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
        for code, change in self.link_changes.items():
            link = self.invite_links[code]
            yield InviteLinkUsed(
                at=self.now,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                code=code,
                user_ids=tuple(change.joined),
                uses=link.uses,
                pending_requests=link.pending_requests,
                audience=tuple(self.managers),
            )

    def _event_of(self, run: "_Run") -> Event:
        users, count = tuple(run.user_ids), run.member_count
        if run.reason is None:
            return members_joined(
                self.group,
                users,
                member_count=count,
                profile=self.profile,
                at=self.now,
                invite_links=run.invite_links,
                by_others=run.by_others,
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

    def check_invitation_limits(self, user_id: UserId, role: Role) -> None:
        """Refuse one more open invitation of the group, or to a user who is no member and has enough to answer."""
        limits, most = self.limits, most_invitations(self.limits, role)
        if self.open_invitations.get(role, 0) >= most:
            raise InvitationLimitReached(limit=most)
        if user_id not in self.members and not self.capacity.users.invitations.has_room(user_id):
            raise InvitationsPerUserReached(limit=limits.invitations_per_user)

    def put_invitation(self, invitation: Invitation) -> None:
        """Store the invitation, in place of an earlier one."""
        before = self.invitations.get(invitation.user_id)
        if before is not None:
            self._count_open(before, -1)
        self._count_open(invitation, 1)
        self.invitations[invitation.user_id] = invitation
        self.changed_invitations.add(invitation.user_id)

    def end_invitation(self, user_id: UserId, reason: InvitationEnd) -> bool:
        """End the user's invitation. Returns whether there was one.

        The inviters do not learn that a user declined to be a member: for them it stays open until it expires.
        """
        invitation = self.invitations.get(user_id)
        if invitation is None or invitation.ended is not None:
            return False
        is_declined = reason is InvitationEnd.DECLINED
        declined_at = self.now if is_declined else invitation.declined_at
        if is_declined and invitation.role is Role.MEMBER:
            values: dict[str, object] = {"hidden": True, "declined_at": declined_at}
            if invitation.is_open(self.now) and not invitation.hidden:
                self._count_shown(user_id, -1)
        else:
            self._count_open(invitation, -1)
            ends_at = min(invitation.expires_at, self.now)
            values = {"ended": reason, "expires_at": ends_at, "declined_at": declined_at}
        self.invitations[user_id] = invitation.model_copy(update=values)
        self.changed_invitations.add(user_id)
        self.events.append(invitation_ended(invitation, self.group, reason, self.now))
        return True

    def _count_open(self, invitation: Invitation, more: Literal[1, -1]) -> None:
        """Count an invitation that is made, or that ends, if it is open."""
        if not invitation.is_open(self.now):
            return
        role = invitation.role
        self.open_invitations[role] = self.open_invitations.get(role, 0) + more
        if not invitation.hidden:
            self._count_shown(invitation.user_id, more)

    def _count_shown(self, user_id: UserId, more: Literal[1, -1]) -> None:
        received = self.capacity.users.invitations
        if more == 1:
            received.add(user_id)
        else:
            received.subtract(user_id)

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

    def remember_leaving(self, user_id: UserId) -> None:
        """Store that the user does not want to be in this chat group; nobody adds them to a channel anyway."""
        if policy.adds_at_once(self.group):
            self.restrict(user_id, left_at=self.now)

    def lift_ban(self, user_id: UserId) -> None:
        self.restrict(user_id, banned_at=None, banned_by=None)

    def ask(self, user_id: UserId, text: str, link: InviteLink | None) -> None:
        """Store a join request of the user, who has none; with `link`, by this invite link."""
        waiting = self.capacity.users.requests
        if not waiting.has_room(user_id):
            raise JoinRequestsPerUserReached(limit=waiting.limit)
        waiting.add(user_id)
        code = link.code if link is not None else None
        self.requests[user_id] = code
        self.new_requests[user_id] = JoinRequest(
            group_id=self.group.group_id,
            user_id=user_id,
            text=text,
            requested_at=self.now,
            invite_link=code,
        )
        self.events.append(
            JoinRequested(
                at=self.now,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                user_id=user_id,
                text=text,
                invite_link=code,
                audience=tuple(self.managers),
            )
        )
        if code is not None:
            self._change_link(code, pending=1)

    def close_request(self, user_id: UserId, outcome: RequestEnd) -> None:
        """End the user's join request, if there is one."""
        if user_id not in self.requests:
            return
        code = self.requests.pop(user_id)
        self.capacity.users.requests.subtract(user_id)
        if self.new_requests.pop(user_id, None) is None:
            self.answered_requests.add(user_id)
        self.events.append(
            JoinAnswered(
                at=self.now,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                user_id=user_id,
                outcome=outcome,
                audience=tuple(self.managers),
            )
        )
        if code is not None:
            self._change_link(code, pending=-1)

    def link_of_request(self, user_id: UserId) -> InviteLink | None:
        """The invite link by which the user asked to join, if it is still there."""
        code = self.requests.get(user_id)
        return self.invite_links.get(code) if code is not None else None

    def _change_link(self, code: str, *, joined: UserId | None = None, pending: int = 0) -> None:
        """Count a join by the link, or requests; a link that is gone counts nothing."""
        link = self.invite_links.get(code)
        if link is None:
            return
        change = self.link_changes.setdefault(code, _LinkChange())
        if joined is not None:
            change.joined.append(joined)
        change.pending += pending
        self.invite_links[code] = link.model_copy(
            update={
                "uses": link.uses + (joined is not None),
                "pending_requests": link.pending_requests + pending,
            }
        )

    def ban(self, user_id: UserId, by: UserId) -> None:
        self.restrict(user_id, banned_at=self.now, banned_by=by)
        self.close_request(user_id, RequestEnd.REFUSED)
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


def invitation_audience(
    invitation: Invitation, group: Group, end: InvitationEnd | None = None
) -> tuple[UserId, ...]:
    """The users who are told of the invitation, or of its end: its user, unless it is hidden, and who invited.

    Of an invitation to be an admin the owner is told in any case. Of a refusal to be a member nobody but its user is.
    """
    told = [] if invitation.hidden else [invitation.user_id]
    if invitation.role is Role.ADMIN:
        told += [group.owner_id] if group.owner_id else []
    elif end is not InvitationEnd.DECLINED:
        told.append(invitation.invited_by)
    return tuple(dict.fromkeys(told))


def invitation_ended(
    invitation: Invitation, group: Group, reason: InvitationEnd, at: datetime
) -> InvitationEnded:
    """The event of the end of this invitation, as it was before."""
    return InvitationEnded(
        at=at,
        group_id=group.group_id,
        is_channel=group.is_channel,
        user_id=invitation.user_id,
        role=invitation.role,
        reason=reason,
        audience=invitation_audience(invitation, group, reason),
    )
