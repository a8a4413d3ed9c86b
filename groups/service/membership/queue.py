"""One queue for each group, through which every change of its membership goes.

Single commands share transactions. A batch of an import has a transaction of its own, and the commands that arrive
meanwhile share the next one: a join beside an import of a million waits for one batch, not for all.
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
    """Group commit of membership changes."""

    def __init__(
        self,
        database: Database,
        batch: MembershipBatch,
        bulk_import: BulkImport,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._batch = batch
        self._bulk_import = bulk_import
        self._commits: GroupCommit[Command | Import, Membership | ImportOutcome] = GroupCommit(
            database,
            self._apply,
            name="membership",
            is_alone=_is_import,
            on_batch=on_batch,
            locks_of=lambda key: (group_lock(GroupId(key)),),
        )

    async def submit(self, group_id: GroupId, command: Command) -> Membership:
        """Apply the command; returns once it is committed.

        Raises: the command's refusal; Unavailable.
        """
        outcome = await self._commits.submit(group_id, command)
        assert isinstance(outcome, Membership)  # only an `Import` has another outcome
        return outcome

    async def import_batch(self, group_id: GroupId, batch: Import) -> ImportOutcome:
        """Apply a batch of an import; returns once it is committed.

        Raises: GroupNotFound; Unavailable.
        """
        outcome = await self._commits.submit(group_id, batch)
        assert isinstance(outcome, ImportOutcome)
        return outcome

    async def close(self) -> None:
        """Wait until every submitted change is committed or refused."""
        await self._commits.close()

    async def _apply(
        self, tx: Tx, key: str, commands: Sequence[Command | Import]
    ) -> Sequence[Membership | ImportOutcome | DomainError]:
        first = commands[0]
        if isinstance(first, Import):  # alone, as `is_alone` says
            return [await self._bulk_import.apply(tx, GroupId(key), first)]
        single = [command for command in commands if not isinstance(command, Import)]
        return await self._batch.apply(tx, key, single)


def _is_import(command: Command | Import) -> bool:
    return isinstance(command, Import)
