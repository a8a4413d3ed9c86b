"""The models of delivery."""

from dataclasses import dataclass
from datetime import datetime

from groups.kernel.ids import GroupId, StreamId, UserId

DeviceKey = tuple[UserId, str]
"""A user, and the id of one of their devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message to announce, and how far its announcement has come.

    A stream has one job at most, for its newest message; its id is the stream's. The users of a group are reached in
    the order of their ids, beginning after `start`: that is where the announcement of an older message ended, so those
    whom it did not reach come first. At the end of the order it goes on with the first users (`is_wrapped`), up to
    `start`. `cursor`: the last user of what is done.

    A comment has a job for each of the few users whom it concerns, in place of their older one on the same post.

    A message in a channel's inbox is announced to those of its staff who may read it, in the order of their ids too.

    A retry is a job of its own, for the devices (`device_keys`) that could not be reached in `attempt` attempts.
    """

    job_id: str
    stream_id: StreamId
    seq: int
    sender_id: UserId
    posted_at: datetime
    group_id: GroupId | None = None
    """None in a dialogue."""
    is_channel: bool = False
    recipient_id: UserId | None = None
    """The one recipient, in a dialogue and of a comment."""
    post_seq: int | None = None
    """Of a comment: the post, in the channel `group_id`. None: it is a message."""
    is_inbox: bool = False
    """It is a user's message to the channel `group_id`, for those who read the channel's inbox."""
    is_reminder: bool = False
    """It reminds those who have not acknowledged the message."""
    peer_id: str | None = None
    """In a dialogue, the other side as the recipient sees it: a user, or a channel."""
    start: str = ""
    cursor: str = ""
    is_wrapped: bool = False
    in_flight: str | None = None
    """The last user of the step that was being sent; None: no step was."""
    attempt: int = 0
    device_keys: tuple[DeviceKey, ...] = ()
    due_at: datetime | None = None
    """When a worker may take it, as it is stored."""
    leased_until: datetime | None = None
    """By the database's clock, while a worker has it."""

    @property
    def is_retry(self) -> bool:
        return self.attempt > 0


@dataclass(slots=True)
class Figures:
    """What became of notifications. `pushed`: handed to a push service or the gateway. `rejected`: devices are gone."""

    pushed: int = 0
    rejected: int = 0
    failed: int = 0
