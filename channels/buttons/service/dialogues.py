"""Presses of the buttons under the one-to-one messages of a channel: by the user to whom it wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from channels.buttons.errors import ButtonNotFound
from channels.buttons.events import DialoguePressed
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
from conversations.models import Dialogue
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_rules import Writer
from conversations.service.write_permission import PermissionQuery, WritePermission
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import Message, Tally
from reactions.models import votes_in
from reactions.polls.service.state import VoteState
from reactions.service.engine import Asked, ReactionEngine


@dataclass(slots=True, kw_only=True)
class _Command(PressCommand):
    actor: Actor
    dialogue: Dialogue

    @property
    def writer(self) -> Writer:
        return Writer(self.actor, is_for_channel=False)


@dataclass(frozen=True, slots=True)
class _Target:
    """A channel's one-to-one message: its user presses, while they may write there."""

    dialogue: Dialogue
    message: Message
    refusals: Mapping[Writer, DomainError | None]
    permission: PermissionQuery

    def refusal(self, command: _Command, state: VoteState) -> DomainError | None:
        return self.refusals[command.writer]

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Nobody counts the presses of dialogues together."""

    async def publish(self, state: VoteState, tally: Tally, now: datetime, tx: Tx) -> None:
        dialogue, message, buttons = self.dialogue, self.message, buttons_of(self.message)
        staff = self.permission.staff(dialogue)
        mine = votes_in(state.held_by(dialogue.user_id))
        tx.publish(
            DialoguePressed(
                at=now,
                user_id=dialogue.user_id,
                peer_id=dialogue.peer_id,
                staff=staff,
                seq=message.seq,
                presses=counts_of(buttons, tally),
                user_holds=indexes_of(buttons, mine),
            )
        )
        publish_presses(GroupId(dialogue.peer_id), "message", message, state, staff, now, tx)


@dataclass(kw_only=True, slots=True)
class DialogueButtons:
    """The buttons under one-to-one messages of channels."""

    engine: ReactionEngine
    dialogues: DialogueService
    permission: WritePermission
    replies: ReplySender
    _queue: PressQueue[_Command, _Target] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = PressQueue(
            engine=self.engine, open_targets=self._open, name="dialogue presses"
        )

    async def press(
        self, actor: Actor, dialogue: Dialogue, seq: int, index: int, text: str | None = None
    ) -> tuple[Pressed, int | None]:
        """As `PostButtons.press`, for a message that the channel wrote to the actor. Publishes: DialoguePressed.

        Raises: ButtonNotFound, also for a message of a user; what refuses a message to the channel.
        """
        channel_id = dialogue.channel_id
        if channel_id is None:
            await self.dialogues.get(actor, dialogue, seq)
            raise ButtonNotFound
        command = _Command(actor.user_id, index, text, actor=actor, dialogue=dialogue)
        send = partial(self.replies.send, actor, channel_id, dialogue.stream_id, seq)
        try:
            return await self._queue.press(dialogue.stream_id, seq, command, send)
        except MessageNotFound:
            await self.dialogues.check_there(actor, dialogue)
            raise

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        writers = {
            key: {command.writer: command.dialogue for command in commands}
            for key, commands in batch.items()
        }
        found = self.permission.query(writers.values(), self.engine.clock.now())
        await self.engine.database.fetch_together(*asked.queries, *found.queries, tx=tx)
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            message = asked.message(key)
            if message is None:
                targets[key] = MessageNotFound
                continue
            refusals = await self.permission.refusals_in(found, writers[key], tx, is_begun=True)
            targets[key] = _Target(commands[0].dialogue, message, refusals, found)
        return targets

    async def close(self) -> None:
        """Wait until every press is counted or refused."""
        await self._queue.close()
