"""The lane: one queue a group, through which everything that changes who is in it goes.

Single changes share transactions; a batch of an import has one of its own, and those who came meanwhile have the next,
so that a join beside an import of a million waits for one batch and not for all.
"""

from collections.abc import Sequence

from groups.kernel.errors import DomainError
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.service.membership.batch import MembershipBatch
from groups.service.membership.bulk_import import BulkImport
from groups.service.membership.commands import Command, Import, ImportOutcome, Membership
from groups.service.write_locks import group_lock


class MembershipQueue:
    """Group commit of changes to memberships."""

    def __init__(
        self,
        database: Database,
        roster: MembershipBatch,
        admissions: BulkImport,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._roster = roster
        self._admissions = admissions
        self._lane: GroupCommit[Command | Import, Membership | ImportOutcome] = GroupCommit(
            database,
            self._apply,
            name="membership",
            is_alone=_is_import,
            on_batch=on_batch,
            locks_of=lambda key: (group_lock(GroupId(key)),),
        )

    async def submit(self, group_id: GroupId, command: Command) -> Membership:
        """The change's result, once it is committed.

        Raises: the entry's refusal; Unavailable.
        """
        outcome = await self._lane.submit(group_id, command)
        assert isinstance(outcome, Membership)  # an Import alone is answered with anything else
        return outcome

    async def admit(self, group_id: GroupId, batch: Import) -> ImportOutcome:
        """What came of the batch, once it is committed.

        Raises: GroupNotFound; Unavailable.
        """
        outcome = await self._lane.submit(group_id, batch)
        assert isinstance(outcome, ImportOutcome)
        return outcome

    async def close(self) -> None:
        """Wait until every submitted change is committed or refused."""
        await self._lane.close()

    async def _apply(
        self, tx: Tx, key: str, commands: Sequence[Command | Import]
    ) -> Sequence[Membership | ImportOutcome | DomainError]:
        first = commands[0]
        if isinstance(first, Import):  # alone, as `is_alone` says
            return [await self._admissions.apply(tx, GroupId(key), first)]
        single = [command for command in commands if not isinstance(command, Import)]
        return await self._roster.apply(tx, key, single)


def _is_import(command: Command | Import) -> bool:
    return isinstance(command, Import)
