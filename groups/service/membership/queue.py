"""One queue for each group, through which every change of its membership goes.

Single commands, of all groups, share transactions. A batch of an import has a transaction of its own, and the commands
that arrive meanwhile share the next one: a join beside an import of a million waits for one batch, not for all.
"""

from collections.abc import Mapping, Sequence

from groups.kernel.batching.group_commit import GroupCommit, OnBatch
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.service.membership.batch import MembershipBatch
from groups.service.membership.bulk_import import BulkImport
from groups.service.membership.commands import Command, Import, ImportOutcome, Membership
from groups.service.write_locks import group_lock

MembershipQueue = GroupCommit[Command | Import, Membership | ImportOutcome]
"""The keys are group ids. A `Command` has a `Membership` as its outcome, an `Import` an `ImportOutcome`."""


def build_queue(
    database: Database,
    batch: MembershipBatch,
    bulk_import: BulkImport,
    *,
    on_batch: OnBatch | None = None,
) -> MembershipQueue:
    """The queue that applies its commands with `batch`, and imports with `bulk_import`."""

    async def apply(
        tx: Tx, commands: Mapping[str, Sequence[Command | Import]]
    ) -> Mapping[str, Sequence[Membership | ImportOutcome | DomainError]]:
        single: dict[GroupId, list[Command]] = {}
        for key, of_key in commands.items():
            first = of_key[0]
            if isinstance(first, Import):  # alone, because of `is_alone`
                return {key: [await bulk_import.apply(tx, GroupId(key), first)]}
            single[GroupId(key)] = [each for each in of_key if not isinstance(each, Import)]
        outcomes = await batch.apply(tx, single)
        return {key: outcomes[key] for key in single}

    return GroupCommit(
        database,
        apply,
        name="membership",
        is_alone=lambda command: isinstance(command, Import),
        on_batch=on_batch,
        locks_of=lambda key: (group_lock(GroupId(key)),),
    )


def membership(outcome: Membership | ImportOutcome) -> Membership:
    """The outcome of a `Command`, with its type."""
    assert isinstance(outcome, Membership)
    return outcome
