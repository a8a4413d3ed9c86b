"""The events of acknowledgements."""

from typing import Literal, NamedTuple

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId


class OwnAcknowledgements(NamedTuple):
    """Users who acknowledged the message in a transaction."""

    user_ids: tuple[UserId, ...]


class AcknowledgementsChanged(Event):
    """The number of those who acknowledged a message, after a transaction: one event for all commands of a batch.

    `own` is for the users' own devices alone, as in `ReactionsChanged`.
    """

    type: Literal["acknowledgements.changed"] = "acknowledgements.changed"
    stream_id: StreamId
    group_id: GroupId
    is_channel: bool = False
    seq: int
    count: int
    own: tuple[OwnAcknowledgements, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id, *(user_id for one in self.own for user_id in one.user_ids))


class AcknowledgementReminded(Event):
    """The staff reminds those who have not acknowledged a message, once.

    It goes to all members in one event; each process leaves out those who acknowledged, when it delivers
    (`audience`).
    """

    type: Literal["acknowledgement.reminder"] = "acknowledgement.reminder"
    stream_id: StreamId
    group_id: GroupId
    is_channel: bool = False
    seq: int
    sender_id: UserId
    """The author of the message, who is not asked."""

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id,)
