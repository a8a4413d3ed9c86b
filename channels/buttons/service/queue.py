"""The queue that counts presses, for posts and one-to-one messages alike, and what both need of a message's buttons."""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, Literal, NamedTuple, TypeVar

from channels.buttons.errors import ButtonChanged, ButtonNotFound, NothingToPress
from channels.buttons.events import ButtonPressed, Press
from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import ActionKind, Button, ButtonRows, Message, Tally
from reactions.models import votes_in
from reactions.polls.service.state import VoteState
from reactions.service.engine import TallyCommand, TallyQueue, TallyTarget

_BUTTONS_EVER: Final = 100
"""Different buttons of one message whose presses are counted, with those that edits took away."""


class Pressed(NamedTuple):
    """The buttons of a message after a press, and its tally with the user's own presses."""

    rows: ButtonRows
    tally: Tally


@dataclass(slots=True)
class PressCommand(TallyCommand):
    """A user's press of the button at this index, which has this key."""

    index: int
    key: int


def button_at(message: Message, index: int, text: str | None) -> Button:
    """Return the button at the index, for a user who saw this text on it; None: they do not say.

    Raises: MessageRecalled; ButtonNotFound; ButtonChanged; NothingToPress.
    """
    if message.content is None:
        raise MessageRecalled
    buttons = message.content.all_buttons
    if index >= len(buttons):
        raise ButtonNotFound
    button = buttons[index]
    if text is not None and text != button.text:
        raise ButtonChanged
    if not button.action.is_counted:
        raise NothingToPress
    return button


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

    of_votes: ClassVar[bool] = True

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
        # An edit since the message was read may have put another button in its place.
        if command.index >= len(buttons) or buttons[command.index].key != command.key:
            return ButtonChanged()
        counted = state.tally().votes
        if command.key not in counted and len(counted) >= _BUTTONS_EVER:
            return ButtonChanged("The buttons of this message were changed too often to count them")
        mine = votes_in(state.held_by(command.holder))
        state.put(command.holder, {*mine, command.key})
        return None

    def _answer(
        self, command: PC, message: Message | None, state: VoteState, tally: Tally, target: T
    ) -> Pressed:
        assert message is not None, "it has the button"
        assert message.content is not None, "it has the button"
        mine = votes_in(state.held_by(command.holder))
        tally = Tally(tally.counts, tally.total, (), tally.votes, tally.voters, mine)
        return Pressed(message.content.buttons, tally)
