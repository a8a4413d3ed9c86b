"""Presses of the buttons under posts: by the members of the channel, once each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from channels.buttons.events import ButtonsChanged, OwnPresses
from channels.buttons.service.queue import (
    PressCommand,
    Pressed,
    PressQueue,
    buttons_of,
    counts_of,
    indexes_of,
    publish_presses,
)
from channels.buttons.service.replies import ReplySender
from channels.service.inbox_rules import ChannelInboxRules
from groups import policy
from groups.errors import GroupNotFound, MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import AccessContext, Group, Message, Tally, stream_of
from reactions.models import votes_in
from reactions.polls.service.state import VoteState
from reactions.service.engine import Asked, ReactionEngine
from reactions.service.group_batch import holding_refusal
from reactions.service.withdrawal import Withdrawn


@dataclass(slots=True, kw_only=True)
class _Command(PressCommand):
    actor: Actor
    channel_id: GroupId


@dataclass(frozen=True, slots=True)
class _Target:
    """A post: the channel's members press its buttons, and those who watch the channel see the counts."""

    group: Group
    message: Message | None
    accesses: Mapping[Actor, AccessContext]
    staff: tuple[UserId, ...]

    def refusal(self, command: _Command, state: VoteState) -> DomainError | None:
        access, message = self.accesses.get(command.actor), self.message
        # Pressing is as voting: for members, who are neither banned from reacting nor restricted, in an open channel.
        refusal = holding_refusal(access, is_adding=True)
        if refusal is not None or access is None:
            return refusal
        if message is None or message.seq <= policy.history_floor(access):
            return MessageNotFound()
        return MessageRecalled() if message.recalled_at else policy.voting_refusal(access, message)

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Nobody counts the presses of a channel's posts together."""

    async def publish(self, state: VoteState, tally: Tally, now: datetime, tx: Tx) -> None:
        message, group = self.message, self.group
        assert message is not None, "it took a press"
        buttons = buttons_of(message)
        own = tuple(
            OwnPresses(indexes_of(buttons, votes_in(texts)), tuple(user_ids))
            for texts, user_ids in state.changed_holders().items()
        )
        tx.publish(
            ButtonsChanged(
                at=now,
                stream_id=group.stream_id,
                group_id=group.group_id,
                seq=message.seq,
                presses=counts_of(buttons, tally),
                own=own,
            )
        )
        publish_presses(group.group_id, "post", message, state, self.staff, now, tx)


@dataclass(kw_only=True, slots=True)
class PostButtons:
    """The buttons under posts."""

    engine: ReactionEngine
    rules: ChannelInboxRules
    replies: ReplySender
    _queue: PressQueue[_Command, _Target] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = PressQueue(engine=self.engine, open_targets=self._open, name="presses")

    async def press(
        self, actor: Actor, channel_id: GroupId, seq: int, index: int, text: str | None = None
    ) -> tuple[Pressed, int | None]:
        """Press a button of a post; a repeat changes and publishes nothing.

        Returns the buttons after it, and for a `reply` the seq of the user's message (`PressQueue.press`).
        Publishes: ButtonsChanged; ButtonPressed, for an `event`; DialoguePosted, for a `reply`.
        Raises: MessageRecalled; ButtonNotFound; ButtonChanged, where `text` is not what stands on the button;
        NothingToPress; and for a `reply` what refuses the user's messages to the channel.
        """
        stream_id = stream_of(channel_id)
        command = _Command(actor.user_id, index, text, actor=actor, channel_id=channel_id)
        send = partial(self.replies.send, actor, channel_id, stream_id, seq)
        return await self._queue.press(stream_id, seq, command, send)

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        users: dict[GroupId, set[UserId]] = {}
        for commands in batch.values():
            for command in commands:
                users.setdefault(command.channel_id, set()).add(command.holder)
        query = self.rules.query(users)
        await self.engine.database.fetch_together(*query.queries, *asked.queries, tx=tx)
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            channel_id = commands[0].channel_id
            actors = {command.actor for command in commands}
            accesses = query.of_accesses.accesses_of(actors, channel_id)
            access = next(iter(accesses.values()), None)
            targets[key] = (
                _Target(access.group, asked.message(key), accesses, query.staff(channel_id))
                if access is not None
                else GroupNotFound
            )
        return targets

    async def close(self) -> None:
        """Wait until every press is counted or refused."""
        await self._queue.close()


def publish_presses_withdrawn(withdrawn: Withdrawn, now: datetime, tx: Tx) -> None:
    """Publish the counts after a deleted user's presses went (a hook of `reactions.service.withdrawal`)."""
    buttons = buttons_of(withdrawn.message)
    if withdrawn.votes is None or not buttons:
        return
    tx.publish(
        ButtonsChanged(
            at=now,
            stream_id=withdrawn.group.stream_id,
            group_id=withdrawn.group.group_id,
            seq=withdrawn.message.seq,
            presses=counts_of(buttons, withdrawn.votes),
            own=(OwnPresses((), (withdrawn.user_id,)),),
        )
    )
