"""The access of the actors of a batch of commands on messages of groups, and whether they may hold anything there."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import AccessContext
from groups.service.access.bulk import BulkAccess
from reactions.service.engine import Asked


class GroupCommand(Protocol):
    """A member's command on a message of a group."""

    @property
    def actor(self) -> Actor: ...
    @property
    def group_id(self) -> GroupId: ...


async def accesses_of_batch(
    access: BulkAccess, batch: Mapping[str, Sequence[GroupCommand]], asked: Asked, tx: Tx
) -> dict[GroupId, dict[Actor, AccessContext]]:
    """Look up what is asked together with what the actors of the batch may do in each group, with one command.

    Actors who may not see a group are absent from it.
    """
    actors: dict[GroupId, set[Actor]] = {}
    for commands in batch.values():
        of_group = actors.setdefault(commands[0].group_id, set())
        of_group.update(command.actor for command in commands)
    query = access.query(
        {group_id: {actor.user_id for actor in of_group} for group_id, of_group in actors.items()}
    )
    await access.database.fetch_together(*query.queries, *asked.queries, tx=tx)
    return {
        group_id: query.accesses_of(of_group, group_id) for group_id, of_group in actors.items()
    }


def holding_refusal(access: AccessContext | None, *, is_adding: bool) -> DomainError | None:
    """Return why somebody with this access may not react to messages of the group, or vote in its polls."""
    if access is None:
        return GroupNotFound()
    # First, so that a business account learns that no membership would help.
    refusal = policy.person_refusal(access.is_business) if is_adding else None
    return refusal or policy.reacting_refusal(access.group, access.effective_role, access.member)
