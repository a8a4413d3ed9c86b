"""The events of buttons: counts for those who see the message, and the presses for those who read the inbox."""

from typing import Literal, NamedTuple

from conversations.models import Dialogue
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId


class OwnPresses(NamedTuple):
    """Users whose presses a transaction changed, and the buttons that each of them has pressed, by index."""

    mine: tuple[int, ...]
    user_ids: tuple[UserId, ...]


class ButtonsChanged(Event):
    """The presses of a post's buttons after a transaction: one event for all commands of a batch.

    `presses`: a count for each button, by index; None for links and forms. `own` is for the users' own devices alone,
    as in `ReactionsChanged`.
    """

    type: Literal["buttons.changed"] = "buttons.changed"
    stream_id: StreamId
    group_id: GroupId
    is_channel: bool = True
    seq: int
    presses: tuple[int | None, ...]
    own: tuple[OwnPresses, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id, *(user_id for one in self.own for user_id in one.user_ids))


class DialoguePressed(Event):
    """The presses of the buttons of a channel's one-to-one message. The user and the `staff` receive it."""

    type: Literal["dialogue.pressed"] = "dialogue.pressed"
    user_id: UserId
    peer_id: str
    staff: tuple[UserId, ...] = ()
    seq: int
    presses: tuple[int | None, ...]
    user_holds: tuple[int, ...]

    @property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.user_id, self.peer_id)

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id, *self.staff)


class Press(NamedTuple):
    """A user's first press of a button that sends data."""

    user_id: UserId
    button: int
    """The index of the button."""
    text: str
    data: str


class ButtonPressed(Event):
    """Users pressed buttons that send data to the channel's back end: one event for all commands of a batch.

    The `staff`, who read the channel's inbox, receive it, and back ends. `place`: under a post, or under a one-to-one
    message of the channel.
    """

    type: Literal["button.pressed"] = "button.pressed"
    channel_id: GroupId
    staff: tuple[UserId, ...] = ()
    place: Literal["post", "message"]
    seq: int
    presses: tuple[Press, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.staff
