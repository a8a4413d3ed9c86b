"""Events: parsing one, and the events that the client makes itself.

An event of a type that this version does not know, or in a shape that it does not know, is an `UnknownEvent`: an app
that skips it goes on working with a newer server.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from channels.client import event_models
from channels.client.event_models import EventBase, EventModel
from channels.client.models import (
    Answer,
    ConversationGroup,
    ItemError,
    OwnGroupInvitation,
    OwnInvitation,
    SyncConversation,
    SyncEnd,
    Unread,
)


class UnknownEvent(EventBase):
    """An event that this version does not know; its fields are in `model_extra`."""


class WatchedPost(Answer):
    """The reactions to one post as they are."""

    seq: int
    counts: dict[str, int]
    total: int
    mine: list[str] = Field(default_factory=list)


class WatchedPoll(Answer):
    """The votes in one poll as they are."""

    seq: int
    options: list[int] | None = None
    """How many chose each option; None while the results are hidden from the user."""
    voters: int | None = None
    mine: list[int] = Field(default_factory=list)


class Watched(Answer):
    """One conversation of `watch`: the counts of its posts that have reactions, or why it is not watched."""

    conversation_id: str
    reactions: list[WatchedPost] | None = None
    polls: list[WatchedPoll] | None = None
    """Those of the posts that have votes; None where there are none."""
    complete: bool | None = None
    error: ItemError | None = None


class Resynced(Answer):
    """What was missed and cannot be replayed arrives as it is now: replace what you show of it.

    Messages, their edits and deletions are replayed as ordinary events before it. `reason`:

    - `connected`, `reconnected`: all that was missed before this connection has come. `conversations` are those in
      which anything changed, and `ended` those that the user no longer has. It comes once for each page of changes,
      also when there is none; `is_last` with the last one. The inboxes of the user's channels are not replayed: read
      them anew.
    - `behind`: the client read too slowly. Reload what you show of `conversation_ids`.
    - `gap`: more messages of `conversation_ids` were missed than `replay` allows. Read them when the user looks.
    - `watch`: the counts of what the socket watches, after a reconnect.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["resynced"] = "resynced"
    reason: Literal["connected", "reconnected", "behind", "gap", "watch"]
    conversations: list[SyncConversation] = Field(default_factory=list)
    ended: list[SyncEnd] = Field(default_factory=list)
    unread: Unread | None = None
    conversation_groups: list[ConversationGroup] | None = None
    invitations: list[OwnInvitation | OwnGroupInvitation] | None = None
    conversation_ids: list[str] = Field(default_factory=list)
    watched: list[Watched] = Field(default_factory=list)
    is_last: bool = True


Event = EventModel | UnknownEvent
"""An event of the server."""
SocketEvent = Event | Resynced
"""What a socket yields."""


def parse_event(payload: Mapping[str, Any]) -> Event:
    """The event of a socket, of the feed, or of a webhook. Raises: ValueError, if it is no event at all."""
    model = event_models.MODELS.get(str(payload.get("type")))
    if model is not None:
        try:
            return model.model_validate(payload)  # type: ignore[return-value]  # one of EventModel
        except ValidationError:
            pass
    return UnknownEvent.model_validate(payload)
