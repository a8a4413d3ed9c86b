"""Loads a batch's picture, has the rules change it, and writes the difference."""

from collections.abc import Sequence
from dataclasses import dataclass

from groups.errors import GroupNotFound
from groups.events import GroupUpdated
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import Invitation, JoinOption, Role, stream_of
from groups.service.admin_log import AdminLog
from groups.service.hooks import Hooks
from groups.service.membership.capacity import capacity_of
from groups.service.membership.commands import (
    Add,
    AnswerInvitation,
    Approve,
    Change,
    Command,
    Invite,
    Join,
    Membership,
    Refuse,
    Remove,
    RevokeInvitation,
    Transfer,
    subject_of,
)
from groups.service.membership.state import MembershipState
from groups.service.membership.sync import expiry_of
from groups.service.membership.transitions import apply_entry
from groups.store.changes import ChangeStore
from groups.store.groups import GroupStore
from groups.store.invitations import InvitationStore
from groups.store.join_requests import JoinRequestStore
from groups.store.members import MemberStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore
from groups.store.users import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class MembershipBatch:
    """Applies batches of membership changes."""

    database: Database
    groups: GroupStore
    members: MemberStore
    restrictions: RestrictionStore
    requests: JoinRequestStore
    streams: StreamStore
    users: UserStore
    invitations: InvitationStore
    admin_log: AdminLog
    changes: ChangeStore
    hooks: Hooks
    limits: GroupLimits
    clock: Clock

    async def apply(
        self, tx: Tx, key: str, entries: Sequence[Command]
    ) -> Sequence[Membership | DomainError]:
        """Apply the entries of one group in order; for each its outcome."""
        if tx.attempt:
            # As an import does (`admissions`): this time the group is ours before we look.
            await self.groups.touch(GroupId(key), tx)
        picture = await self._load(GroupId(key), entries, tx)
        if picture is None:
            return [GroupNotFound() for _ in entries]
        owner_before = picture.group.owner_id
        outcomes: list[Membership | DomainError] = []
        for entry in entries:
            try:
                outcomes.append(apply_entry(picture, entry))
            except DomainError as refusal:
                outcomes.append(refusal)
        await self._write(picture, owner_before, tx)
        return [self._at_the_end(outcome, picture) for outcome in outcomes]

    async def _load(
        self, group_id: GroupId, entries: Sequence[Command], tx: Tx
    ) -> MembershipState | None:
        users = {subject_of(entry) for entry in entries} | {
            entry.actor.user_id for entry in entries
        }
        comers = {
            subject_of(e) for e in entries if isinstance(e, Join | Add | Approve | AnswerInvitation)
        }
        of_group = self.groups.lookup(group_id)
        of_row = self.streams.lookup(stream_of(group_id))
        of_members = self.members.lookup_many(group_id, users)
        of_restrictions = self.restrictions.lookup_many(group_id, users)
        of_counts = self.members.lookup_group_counts(comers)
        of_profile = self.hooks.profile(group_id) if comers and self.hooks.profile else None
        also = [of_profile] if of_profile else []
        await self.database.look_up(
            tx, of_group, of_row, of_members, of_restrictions, of_counts, *also
        )
        group, row, members, restrictions, counts = (
            of_group.found,
            of_row.found,
            of_members.found,
            of_restrictions.found,
            of_counts.found,
        )
        if group is None or row is None:
            return None
        comers -= members.keys()
        if group.owner_id and any(isinstance(entry, Transfer) for entry in entries):
            members |= await self.members.find_many(group_id, [group.owner_id], tx)
        of_requests = Approve | Refuse | Add | Remove | AnswerInvitation
        asks = {subject_of(e) for e in entries if isinstance(e, of_requests)}
        if group.join_option is JoinOption.APPROVAL:
            asks |= comers
        requests = await self.requests.find_many(group_id, asks, tx) if asks else set()
        wants_staff = any(isinstance(e, Change | Transfer | AnswerInvitation) for e in entries) or (
            group.join_option is JoinOption.APPROVAL
        )
        staff = await self.members.find_staff(group_id, tx) if wants_staff else []
        now = self.clock.now()
        invited = [subject_of(entry) for entry in entries if _concerns_invitation(entry)]
        invitations: dict[UserId, Invitation] = {}
        if invited:
            invitations = await self.invitations.find_many(group_id, invited, tx)
        if any(isinstance(entry, Transfer) for entry in entries):
            # They end with the ownership of whoever made them.
            invitations |= await self.invitations.find_open(group_id, now, tx)
        open_invitations = 0
        if any(isinstance(entry, Invite) for entry in entries):
            most = self.limits.admin_invitations
            open_ids = await self.invitations.list_open_ids(group_id, now, most + 1, tx)
            open_invitations = len(open_ids)
        return MembershipState(
            limits=self.limits,
            group=group,
            capacity=capacity_of(group, self.limits),
            stream=row.stream,
            now=now,
            before=members,
            members=dict(members),
            restrictions=restrictions,
            group_counts=counts,
            requests=requests,
            staff=[member.user_id for member in staff],
            admins={member.user_id for member in staff if member.role is Role.ADMIN},
            invitations=invitations,
            open_invitations=open_invitations,
            profile=of_profile.found if of_profile else None,
        )

    async def _write(self, picture: MembershipState, owner_before: UserId | None, tx: Tx) -> None:
        group_id = picture.group.group_id
        gone = [user for user in picture.before if user not in picture.members]
        new = [member for user, member in picture.members.items() if user not in picture.before]
        # The group first: where another process is at it, this transaction ends here, before the bulk.
        await self._write_group(picture, owner_before, tx)
        if gone:
            await self.members.delete_many(group_id, gone, tx)
        await self.members.insert_many(new, tx)
        for user, member in picture.members.items():
            if user in picture.before and picture.before[user] != member:
                await self.members.replace(member, picture.now, tx)
        if picture.group.is_channel and (departures := picture.departures()):
            expires_at = expiry_of(picture.now, self.limits)
            await self.changes.put_departures(departures, expires_at, tx)
        if picture.departed:
            for hook in self.hooks.members_left:
                await hook(group_id, picture.departed, tx)
        turnover = picture.turnover()
        if turnover.joined or picture.departed:
            for counted in self.hooks.members_counted:
                await counted(picture.group, turnover, tx)
        await self.restrictions.put_many(
            [picture.restrictions[user] for user in picture.changed_restrictions], tx
        )
        # In this order: who was refused may have asked again in the same batch.
        if picture.done_requests:
            await self.requests.delete_many(group_id, picture.done_requests, tx)
        for request in picture.new_requests.values():
            await self.requests.insert(request, tx)
        for user in picture.changed_invitations:
            invitation = picture.invitations.get(user)
            if invitation is None:
                await self.invitations.delete(group_id, user, tx)
            else:
                await self.invitations.put(invitation, tx)
        await self.admin_log.record(tx, picture.group, *picture.acts)
        await self.users.touch_many(picture.capacity.near_limit, tx)
        for event in picture.told():
            tx.publish(event)

    async def _write_group(
        self, picture: MembershipState, owner_before: UserId | None, tx: Tx
    ) -> None:
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
        joined = picture.capacity.member_count - group.member_count
        if values or joined:
            changed_at = picture.now if values else None
            await self.groups.update(
                group.group_id, values, tx, changed_at=changed_at, joined=joined
            )
            picture.group = picture.group.model_copy(
                update={"member_count": picture.capacity.member_count}
            )
        elif picture.events or picture.changed_restrictions or picture.done_requests:
            # Else a ban here and a join in another process would each miss the other, and both be committed.
            await self.groups.touch(group.group_id, tx)

    @staticmethod
    def _at_the_end(
        outcome: Membership | DomainError, picture: MembershipState
    ) -> Membership | DomainError:
        if isinstance(outcome, DomainError):
            return outcome
        # The group as committed: its count is the one after the whole batch.
        return Membership(
            picture.group,
            outcome.member,
            outcome.stream,
            outcome.effective_role,
            outcome.changed,
            outcome.is_pending,
            outcome.invitation,
        )


def _concerns_invitation(entry: Command) -> bool:
    """Whether the entry makes or ends an invitation of whom it is about."""
    match entry:
        case Invite() | RevokeInvitation() | AnswerInvitation() | Transfer():
            return True
        case Change():
            return entry.role is Role.ADMIN
        case Remove():
            return entry.ban
        case _:
            return False
