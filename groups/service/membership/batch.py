"""Applies a batch of commands on several groups: loads the state that they touch, decides, and writes the difference.

One command loads what all groups need, a second one what only joins that wait for approval need. The commands of each
group are then applied in memory, and each collection is written with one command for all groups (`Tx.write`). So a
batch takes the same commands for one group and for hundreds.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from groups.errors import GroupNotFound
from groups.events import GroupUpdated
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.limits import GroupLimits
from groups.models import Invitation, InviteLink, JoinOption, Member, Role, stream_of
from groups.service.accounts import Accounts
from groups.service.admin_log import AdminLog
from groups.service.hooks import BlockPair, Hooks
from groups.service.membership.capacity import UserCounts, capacity_of
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

T = TypeVar("T")

Users = dict[GroupId, set[UserId]]


@dataclass(slots=True)
class _Needed:
    """What the commands of a batch need to know, of all groups, as far as the commands themselves tell it."""

    users: Users = field(default_factory=dict)
    """The subjects and the actors of the commands, of every group."""
    comers: set[UserId] = field(default_factory=set)
    """Users who may become members."""
    profiles: set[GroupId] = field(default_factory=set)
    invitations: Users = field(default_factory=dict)
    requests: Users = field(default_factory=dict)
    leaving: Users = field(default_factory=dict)
    """Members whose membership may end."""
    staff: set[GroupId] = field(default_factory=set)
    blocks: set[BlockPair] = field(default_factory=set)
    inviting: set[GroupId] = field(default_factory=set)
    invited: set[UserId] = field(default_factory=set)
    admin_invitations: set[GroupId] = field(default_factory=set)
    """Groups whose former owner's invitations end."""
    codes: set[str] = field(default_factory=set)
    """Of the invite links by which users join."""

    @classmethod
    def by(cls, batch: Mapping[GroupId, Sequence[Command]]) -> "_Needed":
        needed = cls()
        for group_id, commands in batch.items():
            needed.users[group_id] = set()
            for command in commands:
                needed.add(group_id, command)
        return needed

    def add(self, group_id: GroupId, command: Command) -> None:
        subject, actor = subject_of(command), command.actor
        users = self.users[group_id]
        users.add(subject)
        users.add(actor.user_id)
        match command:
            case Join() | Add() | Approve() | AnswerInvitation():
                self.comers.add(subject)
                self.profiles.add(group_id)
        if _concerns_invitation(command):
            self.invitations.setdefault(group_id, set()).add(subject)
        match command:
            case Approve() | Refuse() | Add() | Remove() | AnswerInvitation():
                self.requests.setdefault(group_id, set()).add(subject)
        match command:
            case Leave() | Remove() | UpdateMember():
                self.leaving.setdefault(group_id, set()).add(subject)
        match command:
            case Join() if command.code is not None:
                self.codes.add(command.code)
                self.requests.setdefault(group_id, set()).add(subject)
                self.staff.add(group_id)
        match command:
            case UpdateMember() | Transfer() | AnswerInvitation() | Approve() | Refuse():
                self.staff.add(group_id)
        match command:
            case Transfer():
                self.admin_invitations.add(group_id)
            case Add() | Invite() if not actor.is_app_admin:
                self.blocks |= {(command.user_id, actor.user_id), (command.user_id, group_id)}
        match command:
            case Invite():
                self._may_invite(group_id, subject)
            case Add() if not actor.is_app_admin:
                self._may_invite(group_id, subject)

    def _may_invite(self, group_id: GroupId, user_id: UserId) -> None:
        self.inviting.add(group_id)
        self.invited.add(user_id)


class _LookUps:
    """Queries that are sent together, each only if it is needed."""

    def __init__(self) -> None:
        self.queries: list[BatchedQuery[Any]] = []

    def add(
        self, needed: Collection[Any], query: Callable[[Any], BatchedQuery[dict[Any, T]]]
    ) -> "_Found[T]":
        """Ask `query` about what is needed, unless nothing is."""
        if not needed:
            return _Found(None)
        asked = query(needed)
        self.queries.append(asked)
        return _Found(asked)


@dataclass(frozen=True, slots=True)
class _Found(Generic[T]):
    """What a query found, by key; nothing where it was not needed."""

    query: BatchedQuery[dict[Any, T]] | None

    def all(self) -> dict[Any, T]:
        return self.query.result if self.query is not None else {}


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
        self, tx: Tx, batch: Mapping[GroupId, Sequence[Command]]
    ) -> dict[GroupId, Sequence[Membership | DomainError]]:
        """Apply the commands of each group in order; returns the outcome of each.

        A refusal is of one command: it changes nothing for the others. Publishes what each command publishes.
        """
        if tx.is_retry:
            # As in `bulk_import`: this time we write the groups before we read.
            await self.stores.groups.touch(batch, tx)
        states, stored = await self._load(batch, tx)
        outcomes: dict[GroupId, list[Membership | DomainError]] = {}
        for group_id, commands in batch.items():
            state = states.get(group_id)
            outcomes[group_id] = (
                [GroupNotFound() for _ in commands] if state is None else _decide(state, commands)
            )
        await self._write(states.values(), stored, tx)
        # Each with the group as committed, so with the member count after the whole batch.
        return {
            group_id: [
                outcome
                if isinstance(outcome, DomainError)
                else replace(outcome, group=states[group_id].group)
                for outcome in of_group
            ]
            for group_id, of_group in outcomes.items()
        }

    # --- loading ----------------------------------------------------------------------------------------------------

    async def _load(
        self, batch: Mapping[GroupId, Sequence[Command]], tx: Tx
    ) -> tuple[dict[GroupId, MembershipState], list[Any]]:
        """The states of the groups that exist, and what the hooks for members who leave find stored."""
        stores, needed, now = self.stores, _Needed.by(batch), self.clock.now()
        of_groups = stores.groups.query_groups(batch)
        of_streams = stores.streams.query_streams([stream_of(group_id) for group_id in batch])
        of_members = stores.members.query_members_by_group(needed.users)
        of_restrictions = stores.restrictions.query_restrictions_by_group(needed.users)
        also = _LookUps()
        of_counts = also.add(needed.comers, stores.members.query_group_counts)
        of_added = also.add(needed.comers, stores.members.query_added_counts)
        of_invitations = also.add(needed.invitations, stores.invitations.query_invitations)
        of_requests = also.add(needed.requests, stores.requests.query_requests)
        of_staff = also.add(needed.staff, stores.members.query_staff)
        of_links = also.add(needed.codes, stores.invite_links.query_links)
        of_open = also.add(
            needed.inviting, lambda groups: stores.invitations.query_open_counts(groups, now)
        )
        of_received = also.add(
            needed.invited, lambda users: stores.invitations.query_received_counts(users, now)
        )
        of_admins_invited = also.add(
            needed.admin_invitations,
            lambda groups: stores.invitations.query_open(groups, Role.ADMIN, now),
        )
        profile, blocks = self.hooks.profile, self.hooks.blocks
        of_profiles = also.add(needed.profiles if profile else (), profile or _no_query)
        of_blocks = blocks.query_blocks(needed.blocks) if blocks and needed.blocks else None
        of_leaving = [
            hook.query_leaving(needed.leaving) for hook in self.hooks.members_left if needed.leaving
        ]
        await self.database.fetch_together(
            of_groups,
            of_streams,
            of_members,
            of_restrictions,
            *also.queries,
            *([of_blocks] if of_blocks else []),
            *of_leaving,
            tx=tx,
        )
        users = UserCounts.of(
            self.limits,
            groups=of_counts.all(),
            added_groups=of_added.all(),
            invitations=of_received.all(),
        )
        states: dict[GroupId, MembershipState] = {}
        for group_id, group in of_groups.result.items():
            stream = of_streams.result.get(stream_of(group_id))
            if stream is None:
                continue
            members = of_members.result.get(group_id, {})
            staff = of_staff.all().get(group_id, {})
            if group_id in needed.admin_invitations and group.owner_id in staff:
                members[group.owner_id] = staff[group.owner_id]
            invitations: dict[UserId, Invitation] = of_invitations.all().get(group_id, {})
            # Those that the former owner made end with the transfer.
            invitations |= of_admins_invited.all().get(group_id, {})
            state = states[group_id] = MembershipState(
                limits=self.limits,
                is_business=self.accounts.is_business,
                group=group,
                capacity=capacity_of(group, self.limits, users),
                stream=stream,
                now=now,
                before=members,
                members=dict(members),
                restrictions=of_restrictions.result.get(group_id, {}),
                blocks=of_blocks.result if of_blocks else (),
                requests=of_requests.all().get(group_id, {}),
                invite_links={
                    code: link for code, link in of_links.all().items() if link.group_id == group_id
                },
                invitations=invitations,
                open_invitations=of_open.all().get(group_id, {}),
                profile=of_profiles.all().get(group_id),
            )
            if group_id in needed.staff:
                state.know_staff(staff.values())
        await self._load_of_requests(states, batch, users, tx)
        return states, [query.result for query in of_leaving]

    async def _load_of_requests(
        self,
        states: Mapping[GroupId, MembershipState],
        batch: Mapping[GroupId, Sequence[Command]],
        users: UserCounts,
        tx: Tx,
    ) -> None:
        """Load what only groups need where somebody asks to join, or asked before; mostly nothing, with no command.

        Those are the requests of users who join, the requests that they have elsewhere, the staff who answer, and the
        invite links by which the known requests were made.
        """
        stores = self.stores
        joining = {
            group_id: {
                c.actor.user_id for c in batch[group_id] if isinstance(c, Join) and c.code is None
            }
            for group_id, state in states.items()
            if state.group.join_option is JoinOption.APPROVAL or state.group.has_requests
        }
        asking = {
            command.actor.user_id
            for group_id, state in states.items()
            for command in batch[group_id]
            if isinstance(command, Join) and _may_ask(state, command)
        }
        unknown_staff = [
            group_id
            for group_id, state in states.items()
            if (joining.get(group_id) or state.requests) and not state.knows_staff
        ]
        also = _LookUps()
        joining = {group_id: who for group_id, who in joining.items() if who}
        of_requests = also.add(joining, stores.requests.query_requests)
        of_counts = also.add(asking, stores.requests.query_counts)
        of_staff = also.add(unknown_staff, stores.members.query_staff)
        of_links = also.add(_unknown_links(states.values()), stores.invite_links.query_links)
        if not also.queries:
            return
        await self.database.fetch_together(*also.queries, tx=tx)
        users.requests.stored = of_counts.all()
        for group_id in unknown_staff:
            states[group_id].know_staff(of_staff.all().get(group_id, {}).values())
        for group_id, found in of_requests.all().items():
            states[group_id].requests |= found
        _know_links(states.values(), of_links.all())
        further = _unknown_links(states.values()) - of_links.all().keys() if joining else ()
        if further:
            of_further = stores.invite_links.query_links(further)
            await self.database.fetch_together(of_further, tx=tx)
            _know_links(states.values(), of_further.result)

    # --- writing ----------------------------------------------------------------------------------------------------

    async def _write(self, states: Collection[MembershipState], stored: list[Any], tx: Tx) -> None:
        """Write the difference, each collection with one command for all groups."""
        # The groups first: if another process is writing one, this transaction ends here, before the bulk.
        for state in states:
            await self._write_group(state, tx)
        self._write_members(states, tx)
        left = {
            state.group.group_id: list(dict.fromkeys(state.left)) for state in states if state.left
        }
        if left:
            for hook, of_hook in zip(self.hooks.members_left, stored, strict=True):
                await hook.members_left(left, of_hook, tx)
        for state in states:
            count_change = state.count_change()
            if count_change.joined or state.left:
                for counted in self.hooks.members_counted:
                    await counted(state.group, count_change, tx)
        stores = self.stores
        for state in states:
            if state.changed_restrictions:
                stores.restrictions.put_many(
                    [state.restrictions[user] for user in state.changed_restrictions], tx
                )
            # A user who was refused may ask again in the same batch: deletions come first.
            stores.requests.insert_many(state.new_requests.values(), tx)
            if state.changed_invitations:
                stores.invitations.put_many(
                    [state.invitations[user] for user in state.changed_invitations], tx
                )
            for code, change in state.link_changes.items():
                stores.invite_links.count(
                    code, tx, uses=len(change.joined), pending_requests=change.pending
                )
            if state.admin_acts:
                await self.admin_log.record(tx, state.group, *state.admin_acts)
            for event in state.pending_events():
                tx.publish(event)
        stores.requests.delete_requests(
            {s.group.group_id: s.answered_requests for s in states if s.answered_requests}, tx
        )
        for state in states:
            stores.users.touch_many(state.capacity.users.guarded, tx)
            break  # all states share it

    def _write_members(self, states: Iterable[MembershipState], tx: Tx) -> None:
        members = self.stores.members
        gone: dict[GroupId, list[UserId]] = {}
        for state in states:
            before, after = state.before, state.members
            left = [user_id for user_id in before if user_id not in after]
            if left:
                gone[state.group.group_id] = left
            new: list[Member] = []
            for user_id, member in after.items():
                was = before.get(user_id)
                if was is None:
                    new.append(member)
                elif was is not member and was != member:
                    members.replace(member, state.now, tx)
            members.insert_many(new, tx)
            departures = state.departures()
            if departures:
                expires_at = expiry_of(state.now, self.limits)
                self.stores.changes.put_departures(departures, expires_at, tx)
        members.delete_memberships(gone, tx)

    async def _write_group(self, state: MembershipState, tx: Tx) -> None:
        group = state.group
        values: dict[str, object] = {}
        changed_at: datetime | None = None
        if group.owner_id != state.owner_before:
            values, changed_at = {"owner_id": group.owner_id}, state.now
            state.group = group.model_copy(update={"version": group.version + 1})
            state.events.append(await self._owner_changed(state, tx))
        joined = state.capacity.member_count - group.member_count
        # Otherwise a ban here and a join in another process could both be committed without seeing each other.
        if values or joined or state.has_changed:
            self.stores.groups.collect_update(
                group.group_id,
                values,
                tx,
                changed_at=changed_at,
                joined=joined,
                is_asked=bool(state.new_requests) and not group.has_requests,
            )
        if joined:
            state.group = state.group.model_copy(
                update={"member_count": state.capacity.member_count}
            )

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


def _decide(state: MembershipState, commands: Iterable[Command]) -> list[Membership | DomainError]:
    """Apply the commands of one group to its state, in order."""
    outcomes: list[Membership | DomainError] = []
    for command in commands:
        try:
            outcomes.append(apply_command(state, command))
        except DomainError as refusal:
            outcomes.append(refusal)
    return outcomes


def _may_ask(state: MembershipState, command: Join) -> bool:
    """Whether the join may become a join request."""
    if command.code is None:
        return state.group.join_option is JoinOption.APPROVAL
    link = state.invite_links.get(command.code)
    return link is not None and link.approval


def _unknown_links(states: Iterable[MembershipState]) -> set[str]:
    """The codes of the invite links by which the known requests were made, of those that are not loaded."""
    return {
        code
        for state in states
        for code in state.requests.values()
        if code is not None and code not in state.invite_links
    }


def _know_links(states: Iterable[MembershipState], links: Mapping[str, InviteLink]) -> None:
    """Take note of the links by which requests of these groups were made."""
    for state in states:
        asked_by = set(state.requests.values())
        for code, link in links.items():
            if code in asked_by and link.group_id == state.group.group_id:
                state.invite_links.setdefault(code, link)


def _no_query(_: object) -> BatchedQuery[dict[GroupId, dict[str, object]]]:
    raise AssertionError("nothing is needed of a hook that is absent")


def _concerns_invitation(command: Command) -> bool:
    """Whether the command may create or end an invitation of its subject."""
    match command:
        case Join() | Add() | Approve() | AnswerInvitation():
            return True
        case Invite() | RevokeInvitation() | Transfer():
            return True
        case UpdateMember():
            return command.role is Role.ADMIN
        case Remove():
            return command.ban
        case _:
            return False
