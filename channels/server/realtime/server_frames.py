"""The frames that the server sends, for the guides and for tests: every frame that a test reads is one of these.

The server writes them as plain dictionaries: it sends one to thousands of sockets, already encoded.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _ServerFrame(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Ready(_ServerFrame):
    """The socket is authenticated, and every event committed from now on arrives on it. The first frame."""

    type: Literal["ready"]
    user_id: str
    """Your user."""
    session_id: str
    """The id of this session."""


class Renewed(_ServerFrame):
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


class Watching(_ServerFrame):
    """You receive the reaction counts of this conversation from now on."""

    type: Literal["watching"]
    conversation_id: str
    """The conversation."""


class Unwatched(_ServerFrame):
    """You receive them no more."""

    type: Literal["unwatched"]
    conversation_id: str
    """The conversation."""


class Pong(_ServerFrame):
    """The answer to `ping`."""

    type: Literal["pong"]


class ErrorFrame(_ServerFrame):
    """A frame of yours was refused. The socket stays open, unless a close code follows."""

    type: Literal["error"]
    code: str
    """The [error](errors.md)."""
    detail: str
    """A sentence for people."""
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
