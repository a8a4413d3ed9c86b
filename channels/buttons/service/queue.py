"""The queue that counts presses, for posts and one-to-one messages alike, and what both need of a message's buttons."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, Literal, NamedTuple, TypeVar

from channels.buttons.errors import ButtonChanged, ButtonNotFound, NothingToPress
from channels.buttons.events import ButtonPressed, Press
from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.models import ActionKind, Button, ButtonRows, Message, Tally
from reactions.models import VOTE_PREFIX, votes_in
from reactions.polls.service.state import VoteState
from reactions.service.engine import TallyCommand, TallyQueue, TallyTarget

_BUTTONS_EVER: Final = 100
"""Different buttons of one message whose presses are counted, with those that edits took away."""


class Pressed(NamedTuple):
    """The buttons of a message after a press, and its tally with the user's own presses.

    `to_send`: the press is allowed and not counted yet, since the text of this button is to be sent first.
    """

    rows: ButtonRows
    tally: Tally
    to_send: Button | None = None


@dataclass(slots=True)
class PressCommand(TallyCommand):
    """A user's press of the button at this index, on which they saw `text`; None: they do not say.

    `sent_key`: the key of the button whose text was sent for this press.
    """

    index: int
    text: str | None
    sent_key: int | None = None


def _pressing_refusal(
    buttons: Sequence[Button], command: PressCommand, counted: Collection[int]
) -> DomainError | None:
    """Return why the button cannot be pressed, where presses of the `counted` ones were counted."""
    if command.index >= len(buttons):
        return ButtonNotFound() if command.sent_key is None else ButtonChanged()
    button = buttons[command.index]
    if command.text is not None and command.text != button.text:
        return ButtonChanged()
    # An edit since its text was sent may have put another button in its place.
    if command.sent_key is not None and command.sent_key != button.key:
        return ButtonChanged()
    if not button.action.is_counted:
        return NothingToPress()
    if button.key not in counted and len(counted) >= _BUTTONS_EVER:
        return ButtonChanged("The buttons of this message were changed too often to count them")
    return None


def _needs_sending(button: Button, command: PressCommand) -> bool:
    return button.action.kind is ActionKind.REPLY and command.sent_key is None


def buttons_of(message: Message) -> tuple[Button, ...]:
    """Return the buttons of a message in the order of their index; none of a recalled one."""
    return message.content.all_buttons if message.content is not None else ()


def indexes_of(buttons: Collection[Button], keys: Collection[int]) -> tuple[int, ...]:
    """Return the indexes of the buttons with these keys; an edit may have taken some of them away."""
    return tuple(index for index, button in enumerate(buttons) if button.key in keys)


def counts_of(buttons: Collection[Button], tally: Tally) -> tuple[int | None, ...]:
    """Return the presses of each button; None for links and forms."""
    return tuple(
        tally.votes.get(button.key, 0) if button.action.is_counted else None for button in buttons
    )


def publish_presses(
    channel_id: GroupId,
    place: Literal["post", "message"],
    message: Message,
    state: VoteState,
    staff: tuple[UserId, ...],
    now: datetime,
    tx: Tx,
) -> None:
    """Publish the presses that the batch adds to buttons that send data. Publishes: ButtonPressed."""
    sending = {
        button.key: (index, button)
        for index, button in enumerate(buttons_of(message))
        if button.action.kind is ActionKind.EVENT
    }
    presses = tuple(
        Press(added.user_id, index, button.text, button.action.value)
        for added in state.added(now)
        for key in votes_in([added.emoji])
        if key in sending
        for index, button in [sending[key]]
    )
    if presses:
        tx.publish(
            ButtonPressed(
                at=now,
                channel_id=channel_id,
                staff=staff,
                place=place,
                seq=message.seq,
                presses=presses,
            )
        )


PC = TypeVar("PC", bound=PressCommand)
T = TypeVar("T", bound=TallyTarget[Any, Any])


@dataclass(kw_only=True, slots=True)
class PressQueue(TallyQueue[PC, VoteState, T, Pressed], Generic[PC, T]):
    """Presses of one service. A press stays: what a user holds only grows."""

    prefix: ClassVar[str] = VOTE_PREFIX

    def _state_of(
        self, key: str, tally: Tally | None, held: Mapping[UserId, Set[str]]
    ) -> VoteState:
        return VoteState(key, tally, held)

    def _apply_one(
        self, command: PC, message: Message | None, state: VoteState, target: T, now: datetime
    ) -> DomainError | None:
        refusal: DomainError | None = target.refusal(command, state)
        if refusal is not None:
            return refusal
        if message is None:
            return MessageNotFound()
        if message.recalled_at is not None:
            return MessageRecalled()
        buttons = buttons_of(message)
        refusal = _pressing_refusal(buttons, command, state.tally().votes.keys())
        if refusal is None and not _needs_sending(button := buttons[command.index], command):
            mine = votes_in(state.held_by(command.holder))
            state.put(command.holder, {*mine, button.key})
        return refusal

    async def press(
        self,
        stream_id: StreamId,
        seq: int,
        command: PC,
        send: Callable[[Button], Awaitable[int]],
    ) -> tuple[Pressed, int | None]:
        """Count the press; the text of a `reply` is sent before, and its seq is returned.

        A crash between the two leaves the message without the press. A repeat finds the message, and counts the press.
        """
        pressed = await self.submit(stream_id, seq, command)
        if pressed.to_send is None:
            return pressed, None
        sent_seq = await send(pressed.to_send)
        sent = replace(command, sent_key=pressed.to_send.key)
        return await self.submit(stream_id, seq, sent), sent_seq

    def _answer(
        self, command: PC, message: Message | None, state: VoteState, tally: Tally, target: T
    ) -> Pressed:
        assert message is not None, "it has the button"
        assert message.content is not None, "it has the button"
        mine = votes_in(state.held_by(command.holder))
        tally = replace(tally, mine=(), my_votes=mine)
        button = message.content.all_buttons[command.index]
        to_send = button if _needs_sending(button, command) else None
        return Pressed(message.content.buttons, tally, to_send)
