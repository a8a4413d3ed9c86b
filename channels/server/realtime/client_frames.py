"""The frames that a client sends: their types, and the refusals of those that do not fit.

Every frame may carry an `id`, which its answer repeats. It is also found in a frame that is refused, if that is JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Self

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from groups.kernel.errors import InvalidRequest

FRAME_BYTES: Final = 8 * 1024  # the largest client frame: a token is at most 4 KiB
WATCHED_STREAMS: Final = (
    100  # conversations that one session watches at once, and that one frame names
)
COUNTED_POSTS: Final = 400  # posts of one `watch` whose counts are read
COUNTED_IN_ONE: Final = 50  # of them in one conversation
NEWEST_POSTS: Final = 20  # that are counted where a `watch` names no posts
FRAME_ID_CHARACTERS: Final = 64
_ID_BYTES: Final = 128
_LARGEST: Final = 2**53 - 1  # integer that every JSON parser keeps

FrameId = (
    Annotated[StrictStr, Field(max_length=FRAME_ID_CHARACTERS)]
    | Annotated[StrictInt, Field(ge=-_LARGEST, le=_LARGEST)]
)
"""What a client calls a frame of its own."""
_FRAME_ID: Final[TypeAdapter[str | int]] = TypeAdapter(FrameId)

ConversationIdText = Annotated[str, Field(max_length=_ID_BYTES)]
ConversationIds = Annotated[
    tuple[ConversationIdText, ...], Field(min_length=1, max_length=WATCHED_STREAMS)
]
Seqs = Annotated[
    tuple[Annotated[StrictInt, Field(ge=1, le=_LARGEST)], ...], Field(max_length=COUNTED_IN_ONE)
]


class _ClientFrame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: FrameId | None = None


class Auth(_ClientFrame):
    """Authenticates the socket; later, renews its token. The server answers `ready`, later `renewed`."""

    type: Literal["auth"]
    token: str
    """A token; later, a newer one of the same user."""


class _OfConversations(_ClientFrame):
    """Names one conversation, or several."""

    conversation_ids: ConversationIds | None = None
    """The conversations, `group_` and the id of the group or channel; at most 100."""
    conversation_id: ConversationIdText | None = None
    """Instead: one conversation."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if (self.conversation_id is None) == (self.conversation_ids is None):
            raise PydanticCustomError(
                "one_of", "takes either conversation_ids or conversation_id, and one of them"
            )
        return self

    @property
    def named(self) -> Sequence[str]:
        """The conversations in the order of the frame, each once."""
        if self.conversation_id is not None:
            return [self.conversation_id]
        return list(dict.fromkeys(self.conversation_ids or ()))


class Watch(_OfConversations):
    """Starts the counts of reactions and votes of groups and channels.

    The server answers `watching`, with the counts as they are.
    """

    type: Literal["watch"]
    seqs: dict[ConversationIdText, Seqs] | None = None
    """The posts to count, by conversation: at most 50 in one and 400 in all. Conversations without an entry have their
    newest 20 counted, and fewer where many share the 400."""

    @model_validator(mode="after")
    def _of_these(self) -> Self:
        if not (self.seqs or {}).keys() <= set(self.named):
            raise PydanticCustomError("others", "seqs may only name conversations of the frame")
        if sum(map(len, (self.seqs or {}).values())) > COUNTED_POSTS:
            raise PydanticCustomError(
                "too_many", "seqs may name at most {limit} posts", {"limit": COUNTED_POSTS}
            )
        return self

    @property
    def wanted(self) -> Mapping[str, Sequence[int] | None]:
        """The posts to count in each conversation; None for the newest `newest`."""
        seqs = self.seqs or {}
        return {name: seqs.get(name) for name in self.named}

    @property
    def newest(self) -> int:
        """How many posts are counted where the frame names none: all share what the named ones leave."""
        unnamed = [name for name, seqs in self.wanted.items() if seqs is None]
        left = COUNTED_POSTS - sum(map(len, (self.seqs or {}).values()))
        return min(NEWEST_POSTS, left // max(1, len(unnamed)))


class Unwatch(_OfConversations):
    """Ends them. The server answers `unwatched`."""

    type: Literal["unwatch"]


class Ping(_ClientFrame):
    """Asks whether the connection is alive. The server answers `pong`."""

    type: Literal["ping"]


CLIENT_FRAMES: Final = (Auth, Watch, Unwatch, Ping)
ClientFrame = Auth | Watch | Unwatch | Ping
_FRAMES: Final[TypeAdapter[ClientFrame]] = TypeAdapter(
    Annotated[ClientFrame, Field(discriminator="type")]
)
_TYPES: Final = {"auth", "watch", "unwatch", "ping"}
_REASONS: Final = 20


def parsed(text: str) -> ClientFrame:
    """The frame. Raises: InvalidRequest, which names each field that does not fit."""
    try:
        return _FRAMES.validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)[:_REASONS]
    raise refused_frame(*((_field_of(one["loc"]), one["msg"]) for one in problems))


def refused_frame(*problems: tuple[str, str]) -> InvalidRequest:
    """The error of a frame: each field and its reason. The first reason is the sentence for people."""
    errors = [{"field": field, "reason": reason} for field, reason in problems]
    return InvalidRequest(problems[0][1], errors=errors)


def frame_id_of(text: str) -> str | int | None:
    """The id in a frame that may be refused for whatever else it holds; None where there is none."""
    try:
        frame: Any = orjson.loads(text)
        return _FRAME_ID.validate_python(frame["id"]) if isinstance(frame, dict) else None
    except (ValueError, KeyError):  # pydantic's and orjson's errors are ValueErrors
        return None


def _field_of(location: Sequence[int | str]) -> str:
    # A location begins with the frame's type, and may end with the member of a union that was tried.
    names = [str(name) for name in location]
    if names and names[0] in _TYPES:
        names = names[1:]
    if names and names[0] == "id":
        names = names[:1]
    return ".".join(names)[:100] or "frame"
