"""Applies a batch of commands: loads the state that they touch, applies each of them, and writes the difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from groups.errors import GroupNotFound
from groups.events import GroupUpdated
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.limits import GroupLimits
from groups.models import JoinOption, Role, stream_of
from groups.service.accounts import Accounts
from groups.service.admin_log import AdminLog
from groups.service.hooks import Hooks
from groups.service.membership.capacity import capacity_of, most_invitations
from groups.service.membership.commands import (
    Add,
    AnswerInvitation,
    Approve,
    Command,
    Invite,
    Join,
    Leave,
    Membership,
    Refuse,
    Remove,
    RevokeInvitation,
    Transfer,
    UpdateMember,
    subject_of,
)
from groups.service.membership.state import MembershipState
from groups.service.membership.sync import expiry_of
from groups.service.membership.transitions import apply_command
from groups.service.stores import GroupStores


@dataclass(frozen=True, kw_only=True, slots=True)
class MembershipBatch:
    """Applies batches of membership changes."""

    database: Database
    stores: GroupStores
    admin_log: AdminLog
    accounts: Accounts
    hooks: Hooks
    limits: GroupLimits
    clock: Clock

    async def apply(
        self, tx: Tx, group_id: GroupId, commands: Sequence[Command]
    ) -> Sequence[Membership | DomainError]:
        """Apply the commands of one group in order; returns the outcome of each."""
        if tx.is_retry:
            # As in `bulk_import`: this time we write the group before we read.
            await self.stores.groups.touch(group_id, tx)
        state = await self._load(group_id, commands, tx)
        if state is None:
            return [GroupNotFound() for _ in commands]
        owner_before = state.group.owner_id
        outcomes: list[Membership | DomainError] = []
        for command in commands:
            try:
                outcomes.append(apply_command(state, command))
            except DomainError as refusal:
                outcomes.append(refusal)
        await self._write(state, owner_before, tx)
        # Each with the group as committed, so with the member count after the whole batch.
        return [
            outcome if isinstance(outcome, DomainError) else replace(outcome, group=state.group)
            for outcome in outcomes
        ]

    async def _load(
        self, group_id: GroupId, commands: Sequence[Command], tx: Tx
    ) -> MembershipState | None:
        users = {subject_of(command) for command in commands}
        users |= {command.actor.user_id for command in commands}
        comers = {
            subject_of(command)
            for command in commands
            if isinstance(command, Join | Add | Approve | AnswerInvitation)
        }
        concerned = comers | {subject_of(c) for c in commands if _concerns_invitation(c)}
        pairs = {pair for command in commands for pair in _block_pairs(group_id, command)}
        of_group = self.stores.groups.query_group(group_id)
        of_row = self.stores.streams.query_stream(stream_of(group_id))
        of_members = self.stores.members.query_members(group_id, users)
        of_restrictions = self.stores.restrictions.query_restrictions(group_id, users)
        of_counts = self.stores.members.query_group_counts(comers)
        of_added = self.stores.members.query_added_counts(comers)
        of_invitations = self.stores.invitations.query_invitations(group_id, concerned)
        of_profile = self.hooks.profile(group_id) if comers and self.hooks.profile else None
        of_blocks = self.hooks.blocks.query_blocks(pairs) if pairs and self.hooks.blocks else None
        queries: list[BatchedQuery[Any]] = [of_group, of_row, of_members, of_restrictions]
        queries += [of_counts, of_added] if comers else []
        queries += [of_invitations] if concerned else []
        queries += [query for query in (of_profile, of_blocks) if query is not None]
        await self.database.fetch(tx, *queries)
        group, row, members = of_group.result, of_row.result, of_members.result
        if group is None or row is None:
            return None
        if group.owner_id and any(isinstance(command, Transfer) for command in commands):
            members |= await self.stores.members.find_many(group_id, [group.owner_id], tx)
        of_requests = Approve | Refuse | Add | Remove | AnswerInvitation
        asks = {subject_of(command) for command in commands if isinstance(command, of_requests)}
        if group.join_option is JoinOption.APPROVAL:
            asks |= comers - members.keys()
        requests = await self.stores.requests.find_many(group_id, asks, tx) if asks else set()
        wants_staff = any(
            isinstance(c, UpdateMember | Transfer | AnswerInvitation) for c in commands
        ) or (group.join_option is JoinOption.APPROVAL)
        staff = await self.stores.members.find_staff(group_id, tx) if wants_staff else []
        now = self.clock.now()
        invitations = of_invitations.result if concerned else {}
        if any(isinstance(command, Transfer) for command in commands):
            # Those that the former owner made end with the transfer.
            invitations |= await self.stores.invitations.find_open(group_id, Role.ADMIN, now, tx)
        added_counts = of_added.result if comers else {}
        state = MembershipState(
            limits=self.limits,
            is_business=self.accounts.is_business,
            group=group,
            capacity=capacity_of(group, self.limits),
            stream=row.stream,
            now=now,
            before=members,
            members=dict(members),
            restrictions=of_restrictions.result,
            group_counts={
                user_id: groups - added_counts.get(user_id, 0)
                for user_id, groups in (of_counts.result if comers else {}).items()
            },
            added_counts=added_counts,
            blocks=of_blocks.result if of_blocks else (),
            requests=requests,
            staff=[member.user_id for member in staff],
            admins={member.user_id for member in staff if member.role is Role.ADMIN},
            invitations=invitations,
            open_invitations={},
            received_invitations={},
            profile=of_profile.result if of_profile else None,
        )
        await self._count_invitations(state, commands, tx)
        return state

    async def _count_invitations(
        self, state: MembershipState, commands: Sequence[Command], tx: Tx
    ) -> None:
        """Count the open invitations of the group and of its invited users, where the batch may make new ones."""
        # Whoever leaves in this batch must be asked by a later command of it.
        leaving = {command.actor.user_id for command in commands if isinstance(command, Leave)}
        asked = {
            command.user_id
            for command in commands
            if isinstance(command, Add)
            and (command.user_id in leaving or state.must_ask(command.actor, command.user_id))
        }
        invited = {command.user_id for command in commands if isinstance(command, Invite)}
        for role, users in ((Role.MEMBER, asked), (Role.ADMIN, invited)):
            if users:
                most = most_invitations(self.limits, role)
                state.open_invitations[role] = await self.stores.invitations.count_open(
                    state.group.group_id, role, state.now, most, tx
                )
        strangers = (asked | invited) - (state.members.keys() - leaving)
        if strangers:
            state.received_invitations = await self.stores.invitations.count_received(
                strangers, state.now, tx
            )

    async def _write(self, state: MembershipState, owner_before: UserId | None, tx: Tx) -> None:
        group_id = state.group.group_id
        gone = [user for user in state.before if user not in state.members]
        new = [member for user, member in state.members.items() if user not in state.before]
        # The group first: if another process is writing it, this transaction ends here, before the bulk.
        await self._write_group(state, owner_before, tx)
        if gone:
            await self.stores.members.delete_many(group_id, gone, tx)
        await self.stores.members.insert_many(new, tx)
        for user, member in state.members.items():
            if user in state.before and state.before[user] != member:
                await self.stores.members.replace(member, state.now, tx)
        if departures := state.departures():
            expires_at = expiry_of(state.now, self.limits)
            await self.stores.changes.put_departures(departures, expires_at, tx)
        if state.left:
            for hook in self.hooks.members_left:
                await hook(group_id, state.left, tx)
        count_change = state.count_change()
        if count_change.joined or state.left:
            for counted in self.hooks.members_counted:
                await counted(state.group, count_change, tx)
        await self.stores.restrictions.put_many(
            [state.restrictions[user] for user in state.changed_restrictions], tx
        )
        # In this order: a user who was refused may ask again in the same batch.
        if state.answered_requests:
            await self.stores.requests.delete_many(group_id, state.answered_requests, tx)
        for request in state.new_requests.values():
            await self.stores.requests.insert(request, tx)
        await self.stores.invitations.put_many(
            [state.invitations[user] for user in state.changed_invitations], tx
        )
        await self.admin_log.record(tx, state.group, *state.admin_acts)
        await self.stores.users.touch_many(state.capacity.near_limit, tx)
        for event in state.pending_events():
            tx.publish(event)

    async def _write_group(
        self, state: MembershipState, owner_before: UserId | None, tx: Tx
    ) -> None:
        group = state.group
        values: dict[str, object] = {}
        if group.owner_id != owner_before:
            values["owner_id"] = group.owner_id
            state.group = group.model_copy(update={"version": group.version + 1})
            state.events.append(await self._owner_changed(state, tx))
        joined = state.capacity.member_count - group.member_count
        if values or joined:
            changed_at = state.now if values else None
            await self.stores.groups.update(
                group.group_id, values, tx, changed_at=changed_at, joined=joined
            )
            state.group = state.group.model_copy(
                update={"member_count": state.capacity.member_count}
            )
        elif (
            state.events
            or state.changed_restrictions
            or state.answered_requests
            or state.changed_invitations
        ):
            # Otherwise a ban here and a join in another process could both be committed without seeing each other.
            await self.stores.groups.touch(group.group_id, tx)

    async def _owner_changed(self, state: MembershipState, tx: Tx) -> GroupUpdated:
        group = state.group
        changed: dict[str, object] = {"owner_id": group.owner_id}
        event = GroupUpdated(
            at=state.now,
            group_id=group.group_id,
            is_channel=group.is_channel,
            changed=changed,
            version=group.version,
        )
        if not group.is_channel:
            return event
        if self.hooks.shows_owner is not None and await self.hooks.shows_owner(group, tx):
            return event
        # The staff as it is now, and the new owner.
        staff = dict.fromkeys([*state.staff, *([group.owner_id] if group.owner_id else [])])
        return event.model_copy(
            update={"changed": {}, "changed_for_staff": changed, "staff": tuple(staff)}
        )


def _block_pairs(group_id: GroupId, command: Command) -> Iterator[tuple[str, str]]:
    """The blocks by which the subject of the command may refuse to be disturbed."""
    if isinstance(command, Add | Invite) and not command.actor.is_app_admin:
        yield command.user_id, command.actor.user_id
        yield command.user_id, group_id


def _concerns_invitation(command: Command) -> bool:
    """Whether the command may create or end an invitation of its subject."""
    match command:
        case Invite() | RevokeInvitation() | AnswerInvitation() | Transfer():
            return True
        case UpdateMember():
            return command.role is Role.ADMIN
        case Remove():
            return command.ban
        case _:
            return False
