"""The frames that the server sends, for the guides and for tests: every frame that a test reads is one of these.

The server writes them as plain dictionaries: it sends one to thousands of sockets, already encoded.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from channels.event_views.schemas import absent_not_null


class _ServerFrame(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        json_schema_extra=absent_not_null,
    )


class _Answer(_ServerFrame):
    id: str | int | None = None
    """The `id` of the frame that this one answers. Present where that frame had one."""


class Ready(_Answer):
    """The socket is authenticated, and every event committed from now on arrives on it. The first frame."""

    type: Literal["ready"]
    user_id: str
    """Your user."""
    session_id: str
    """The id of this session."""


class Renewed(_Answer):
    """Your newer token is in force."""

    type: Literal["renewed"]
    expires_at: str
    """When it expires."""


class EventFrame(_ServerFrame):
    """An event."""

    type: Literal["event"]
    event: dict[str, Any]
    """The event, with its own `type`: [events](events.md)."""


class Behind(_ServerFrame):
    """You read too slowly, and events of this conversation were left out. Read it over HTTP."""

    type: Literal["behind"]
    conversation_id: str
    """The conversation."""
    head_seq: int | None
    """The message to read on to. `null`: no message was left out; reload what you show."""


class CountedPost(_ServerFrame):
    """The reactions to one post as they are."""

    seq: int
    counts: dict[str, int]
    total: int
    mine: list[str]


class CountedPoll(_ServerFrame):
    """The votes in one poll as they are."""

    seq: int
    options: list[int] | None
    """How many chose each option; null while you do not see the results."""
    voters: int | None
    mine: list[int]
    """The options that you chose, by their place from 0."""


class CountedButtons(_ServerFrame):
    """The presses of a post's buttons as they are."""

    seq: int
    presses: list[int | None]
    """How many users pressed each button, in their order over all rows; null for a link or a form."""
    pressed: list[int]
    """The buttons that you pressed, by their place from 0."""


class WatchError(_ServerFrame):
    """Why a conversation is not watched."""

    code: str
    detail: str
    details: dict[str, Any]


class WatchedConversation(_ServerFrame):
    """One conversation of `watch`: its counts, or the error."""

    conversation_id: str
    reactions: list[CountedPost] | None = None
    polls: list[CountedPoll] | None = None
    buttons: list[CountedButtons] | None = None
    complete: bool | None = None
    error: WatchError | None = None


class Watching(_Answer):
    """You receive the counts of reactions and votes of these conversations from now on."""

    type: Literal["watching"]
    conversations: list[WatchedConversation]
    """A result for each, with its `conversation_id`. `reactions`: the `seq`, `counts`, `total` and `mine` of each
    counted post that has reactions, the newest first. `polls`: those of them that have votes; absent where there are
    none. `buttons`: those whose buttons were pressed; absent where there are none. `complete`: false where the answer
    became too long, so read the posts over HTTP. Instead of all these, `error`, with `code`, `detail` and `details`,
    where it is not watched."""
    conversation_ids: list[str] | None = None
    """Those of your frame. Present where it named several."""
    conversation_id: str | None = None
    """That of your frame. Present where it named one by this field; a refusal is an `error` frame then."""


class Unwatched(_Answer):
    """You receive them no more."""

    type: Literal["unwatched"]
    conversation_ids: list[str] | None = None
    """The conversations."""
    conversation_id: str | None = None
    """The conversation, where your frame named one by this field."""


class Pong(_Answer):
    """The answer to `ping`."""

    type: Literal["pong"]


class ErrorFrame(_Answer):
    """A frame of yours was refused. The socket stays open, unless a close code follows."""

    type: Literal["error"]
    code: str
    """The [error](errors.md)."""
    detail: str
    """A sentence for people."""
    details: dict[str, Any]
    """What the error says besides, as over HTTP: for `invalid_request` its `errors`, each a `field` and a `reason`."""
    conversation_id: str | None = None
    """The conversation of a `watch` that names one by this field."""
    retry_after_seconds: float | None = Field(default=None, strict=False)
    """When the same frame may succeed. Present where waiting helps."""


SERVER_FRAMES: Final = (
    Ready,
    EventFrame,
    Behind,
    Watching,
    Unwatched,
    Renewed,
    Pong,
    ErrorFrame,
)

ServerFrame = Annotated[
    Ready | Renewed | EventFrame | Behind | Watching | Unwatched | Pong | ErrorFrame,
    Field(discriminator="type"),
]
SERVER_FRAME: Final[TypeAdapter[ServerFrame]] = TypeAdapter(ServerFrame)
"""Parses any frame that the server sends."""
