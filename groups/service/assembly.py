"""Builds group chat on a database: its stores stay inside, its services come out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.limits import GroupLimits
from groups.service.access import Access
from groups.service.clearing import Clearing
from groups.service.directory import Directory
from groups.service.groups import GroupService
from groups.service.hooks import Hooks
from groups.service.importing import ImportService
from groups.service.lookup import GroupLookup
from groups.service.membership import MembershipService
from groups.service.messages import MessageService
from groups.service.roster import Admissions, MembershipLane, Roster
from groups.service.standing_list import MembershipReader
from groups.service.users import UserService
from groups.store import (
    INDEXES,
    AdmissionStore,
    GroupStore,
    MemberStore,
    MessageStore,
    UserStore,
)

GROUP_INDEXES: Final[tuple[Index, ...]] = INDEXES


@dataclass(frozen=True, slots=True)
class GroupChat:
    """The services of group chat on one database, and the hooks through which higher packages join in."""

    hooks: Hooks
    access: Access
    lookup: GroupLookup
    memberships: MembershipReader
    groups: GroupService
    membership: MembershipService
    imports: ImportService
    messages: MessageService
    directory: Directory
    users: UserService
    clearing: Clearing

    async def close(self) -> None:
        """Let every submitted write end, and stop the background work, which the next start resumes."""
        await self.membership.close()
        await self.messages.close()
        await self.clearing.stop()


def assemble(
    database: Database,
    limits: GroupLimits,
    clock: Clock,
    *,
    on_batch: Callable[[str, int], None] | None = None,
) -> GroupChat:
    """Group chat on this database; `on_batch` hears the size of every group-commit batch."""
    groups, members = GroupStore(database), MemberStore(database)
    messages, users = MessageStore(database), UserStore(database)
    hooks = Hooks()
    access = Access(groups, members)
    lane = MembershipLane(
        database,
        Roster(database, groups, members, messages, users, hooks, limits, clock),
        Admissions(groups, messages, AdmissionStore(database), limits, clock),
        on_batch=on_batch,
    )
    clearing = Clearing(database, groups, members, messages, hooks)
    return GroupChat(
        hooks=hooks,
        access=access,
        lookup=GroupLookup(database, groups, members),
        memberships=MembershipReader(members, messages, groups),
        groups=GroupService(
            database, groups, members, messages, users, access, clearing, hooks, limits, clock
        ),
        membership=MembershipService(members, access, lane),
        imports=ImportService(access, lane),
        messages=MessageService(
            database,
            groups,
            members,
            messages,
            access,
            hooks,
            limits,
            clock,
            on_batch=on_batch,
        ),
        directory=Directory(groups, members, messages),
        users=UserService(users),
        clearing=clearing,
    )
