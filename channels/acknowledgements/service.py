"""Acknowledging a message: once for each member, and never taken back.

Promises:
    Exact counts: an acknowledgement is a row of `reactions`, and changes the tally of its message in one transaction
    (`reactions.service.engine`).
    A message that does not ask, and a page of such messages, cost nothing more.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from channels.acknowledgements.errors import AcknowledgementNotAsked, OwnAcknowledgement
from channels.acknowledgements.events import AcknowledgementsChanged, OwnAcknowledgements
from groups import policy
from groups.errors import GroupNotFound, MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import AccessContext, Group, Message, Tally, stream_of
from groups.service.access.bulk import BulkAccess
from reactions.models import ACKNOWLEDGED
from reactions.service.engine import Asked, ReactionEngine, TallyCommand, TallyQueue
from reactions.service.group_batch import accesses_of_batch, holding_refusal
from reactions.service.state import TallyState
from reactions.service.withdrawal import Withdrawn


@dataclass(slots=True)
class _Command(TallyCommand):
    """A member acknowledges the message."""

    actor: Actor
    group_id: GroupId


class _State(TallyState):
    """The number of those who acknowledged a message, and whether the users of a batch did."""

    def __init__(
        self, message_id: str, tally: Tally | None, held: Mapping[UserId, Set[str]]
    ) -> None:
        super().__init__(message_id, held, has_tally=tally is not None)
        self._before = tally or Tally()
        self._count = self._before.acknowledged

    def acknowledge(self, user_id: UserId) -> None:
        own = self._held[user_id]
        if ACKNOWLEDGED not in own:
            own.add(ACKNOWLEDGED)
            self._count += 1

    @property
    def counts_changed(self) -> bool:
        return self._count != self._before.acknowledged

    def tally(self) -> Tally:
        return replace(self._before, acknowledged=self._count)

    def stored_counts(self) -> dict[str, Any]:
        return {"acknowledged": self._count}


@dataclass(frozen=True, slots=True)
class _Target:
    """A message of a group: its members may acknowledge it."""

    group: Group
    message: Message | None
    accesses: Mapping[Actor, AccessContext]

    def refusal(self, command: _Command, state: _State) -> DomainError | None:
        access, message = self.accesses.get(command.actor), self.message
        refusal = holding_refusal(access, is_adding=True)
        if refusal is not None or access is None:
            return refusal
        if message is None or message.seq <= policy.history_floor(access):
            return MessageNotFound()
        if message.content is None:
            return MessageRecalled()
        if not message.content.acknowledge:
            return AcknowledgementNotAsked()
        if message.sender_id == command.holder:
            return OwnAcknowledgement()
        return policy.adding_anything_refusal(access)

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Nobody counts the acknowledgements of a channel's posts together."""

    async def publish(self, state: _State, tally: Tally, now: datetime, tx: Tx) -> None:
        message = self.message
        if message is None or message.seq <= self.group.private_until_seq:
            # Those who watch the channel must not learn of a private message.
            return
        new = tuple(user for users in state.changed_holders().values() for user in users)
        tx.publish(
            AcknowledgementsChanged(
                at=now,
                stream_id=self.group.stream_id,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                seq=message.seq,
                count=tally.acknowledged,
                own=(OwnAcknowledgements(new),),
            )
        )


@dataclass(kw_only=True, slots=True)
class _Queue(TallyQueue[_Command, _State, _Target, Tally]):
    """Acknowledgements of messages of groups; the answer is the tally, with the holder's own."""

    prefix: ClassVar[str] = ACKNOWLEDGED

    def _state_of(self, key: str, tally: Tally | None, held: Mapping[UserId, Set[str]]) -> _State:
        return _State(key, tally, held)

    def _apply_one(
        self,
        command: _Command,
        message: Message | None,
        state: _State,
        target: _Target,
        now: datetime,
    ) -> DomainError | None:
        refusal = target.refusal(command, state)
        if refusal is None:
            state.acknowledge(command.holder)
        return refusal

    def _answer(
        self,
        command: _Command,
        message: Message | None,
        state: _State,
        tally: Tally,
        target: _Target,
    ) -> Tally:
        return replace(tally, is_acknowledged=True)


@dataclass(kw_only=True, slots=True)
class AcknowledgementService:
    """Acknowledgements of the messages of groups; channels use them for their posts."""

    engine: ReactionEngine
    access: BulkAccess
    _queue: _Queue = field(init=False)

    def __post_init__(self) -> None:
        self._queue = _Queue(engine=self.engine, open_targets=self._open, name="acknowledgements")

    async def acknowledge(self, actor: Actor, group_id: GroupId, seq: int) -> Tally:
        """Acknowledge the message for the actor, a member. A repeat changes and publishes nothing.

        Returns the tally of the message. Publishes: AcknowledgementsChanged, once for all commands of the transaction.
        Raises: AcknowledgementNotAsked; OwnAcknowledgement; MessageRecalled.
        """
        command = _Command(actor.user_id, actor, group_id)
        return await self._queue.submit(stream_of(group_id), seq, command)

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        accesses = await accesses_of_batch(self.access, batch, asked, tx)
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            seen_by = accesses[commands[0].group_id]
            access = next(iter(seen_by.values()), None)
            targets[key] = (
                _Target(access.group, asked.message(key), seen_by)
                if access is not None
                else GroupNotFound
            )
        return targets

    async def close(self) -> None:
        await self._queue.close()


def publish_acknowledgement_withdrawn(withdrawn: Withdrawn, now: datetime, tx: Tx) -> None:
    """Publish the count after a deleted user's acknowledgement went (a hook of `reactions.service.withdrawal`)."""
    group = withdrawn.group
    if withdrawn.acknowledged is None or withdrawn.message.content is None:
        return
    tx.publish(
        AcknowledgementsChanged(
            at=now,
            stream_id=group.stream_id,
            group_id=group.group_id,
            is_channel=group.is_channel,
            seq=withdrawn.message.seq,
            count=withdrawn.acknowledged,
        )
    )
