"""The event of polls."""

from typing import Literal, NamedTuple

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId


class OwnVotes(NamedTuple):
    """Users whose votes a transaction changed, and the options that each of them chose after it."""

    mine: tuple[int, ...]
    user_ids: tuple[UserId, ...]


class PollChanged(Event):
    """The votes of a poll after a transaction: one event for all commands of a batch, or for its closing.

    `closed`: it takes no more votes, so these are the last. `votes`, one count an option, and `voters` are None while
    not everybody may see the results. `own` is for the users' own devices alone, as in `ReactionsChanged`.
    """

    type: Literal["poll.changed"] = "poll.changed"
    stream_id: StreamId
    group_id: GroupId
    is_channel: bool = False
    seq: int
    votes: tuple[int, ...] | None
    voters: int | None
    closed: bool = False
    own: tuple[OwnVotes, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id, *(user_id for one in self.own for user_id in one.user_ids))
