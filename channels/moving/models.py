"""The lines of an export, as the import reads them.

Every line is checked as if a stranger wrote it: unknown fields, control characters, ids and texts that the API would
refuse are errors. What a model leaves out, such as the badge of the channel, is not in an export.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from channels.subscriber_tags.models import TAG_CHARACTERS, TAGS_PER_SUBSCRIBER
from groups.kernel.clock import to_milliseconds
from groups.kernel.ids import GroupIdText, UserId, UserIdText
from groups.kernel.text.bounded import Line, NotBlank, without_controls
from groups.kernel.text.emoji import EmojiText
from groups.models import Grant, Origin, Role

FORMAT: Final = "channels-export"
VERSION: Final = 1


def _in_utc(instant: datetime) -> datetime:
    try:
        return to_milliseconds(instant.astimezone(UTC))
    except OverflowError:
        raise PydanticCustomError("bad_instant", "must be a valid date and time") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Seq = Annotated[int, Field(ge=1, lt=2**53)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
JsonObject = dict[str, JsonValue]
Tag = Annotated[NotBlank, Field(max_length=TAG_CHARACTERS)]


class LineModel(BaseModel):
    """The base of all lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(LineModel):
    """The first line."""

    type: Literal["header"]
    format: str
    version: int


class ChannelLine(LineModel):
    """The channel: its group and its profile without what is the deployment's, and its picture."""

    type: Literal["channel"]
    channel_id: GroupIdText
    group: JsonObject
    profile: JsonObject
    picture: Hash | None = None
    """The upload that is its picture; a picture elsewhere is the group's `face_url`."""
    last_post_at: Instant | None = None
    """When the newest post was posted, where all posts have ended."""


class MemberLine(LineModel):
    """A subscriber, an admin or the owner. `read_seq`: the newest post that they have read; `tags`: the staff's."""

    type: Literal["member"]
    user_id: UserIdText
    role: Role = Role.MEMBER
    grants: tuple[Grant, ...] | None = None
    joined_at: Instant
    joined_seq: Annotated[int, Field(ge=0, lt=2**53)] = 0
    muted_until: Instant | None = None
    name_card: Line = ""
    has_agreed: bool = True
    read_seq: Annotated[int, Field(ge=0, lt=2**53)] = 0
    tags: Annotated[tuple[Tag, ...], Field(max_length=TAGS_PER_SUBSCRIBER)] = ()


class RestrictionLine(LineModel):
    """Bans and mutes of a user."""

    type: Literal["restriction"]
    user_id: UserIdText
    banned_at: Instant | None = None
    banned_by: UserId | None = None
    muted_until: Instant | None = None
    reacting_banned_at: Instant | None = None
    reacting_banned_by: UserId | None = None
    commenting_banned_at: Instant | None = None
    commenting_banned_by: UserId | None = None
    left_at: Instant | None = None


class MessageLine(LineModel):
    """A post, or with `post_seq` a comment. `sender_id` None: the channel itself; `content` None: it was deleted."""

    type: Literal["post", "comment"]
    post_seq: Seq | None = None
    seq: Seq
    sender_id: UserIdText | None = None
    author_id: UserIdText | None = None
    signature: Line = ""
    created_at: Instant
    edited_at: Instant | None = None
    recalled_at: Instant | None = None
    pinned_at: Instant | None = None
    silent: bool = False
    quoted_seq: Seq | None = None
    origin: Origin | None = None
    reactions_frozen: bool = False
    comments_frozen: bool = False
    views: Annotated[int, Field(ge=0, lt=2**53)] = 0
    member_count: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    reminded_at: Instant | None = None
    """When those who had not acknowledged it were reminded."""
    content: JsonObject | None = None


class ReactionLine(LineModel):
    """A user's emoji on a post, or on a comment."""

    type: Literal["reaction", "comment_reaction"]
    post_seq: Seq | None = None
    seq: Seq
    user_id: UserIdText
    emoji: EmojiText
    at: Instant


class VoteLine(LineModel):
    """A user's vote for an option, counted from 0, of the poll in a post."""

    type: Literal["vote"]
    seq: Seq
    user_id: UserIdText
    option: Annotated[int, Field(ge=0, lt=1_000)]
    at: Instant


class PressLine(LineModel):
    """A user's press of a button of a post. `button` is `groups.models.Button.key`, also of one that is gone."""

    type: Literal["press"]
    seq: Seq
    user_id: UserIdText
    button: Annotated[int, Field(ge=0, lt=2**48)]
    at: Instant


class AcknowledgementLine(LineModel):
    """A user has acknowledged a post that asks for it."""

    type: Literal["acknowledgement"]
    seq: Seq
    user_id: UserIdText
    at: Instant


class FailureLine(LineModel):
    """Why a scheduled post was not published."""

    code: Line
    detail: Line
    at: Instant


class DraftLine(LineModel):
    """A draft or a scheduled post."""

    type: Literal["draft"]
    draft_id: Annotated[Line, Field(min_length=1, max_length=64)]
    author_id: UserIdText
    by_app: bool = False
    content: JsonObject
    silent: bool = False
    origin: Origin | None = None
    publish_at: Instant | None = None
    failure: FailureLine | None = None
    created_at: Instant
    updated_at: Instant
    version: Annotated[int, Field(ge=1, lt=2**53)] = 1


class TableLine(LineModel):
    """A row of a table of another package (`channels.moving.tables`), whose `type` is the table's."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str


class End(LineModel):
    """The last line: how many lines of each type there are, and the hash of all bytes before this line."""

    type: Literal["end"]
    counts: dict[str, Annotated[int, Field(ge=0)]]
    sha256: Hash


LINES: Final[Mapping[str, type[LineModel]]] = {
    "header": Header,
    "channel": ChannelLine,
    "member": MemberLine,
    "restriction": RestrictionLine,
    "post": MessageLine,
    "comment": MessageLine,
    "reaction": ReactionLine,
    "comment_reaction": ReactionLine,
    "vote": VoteLine,
    "press": PressLine,
    "acknowledgement": AcknowledgementLine,
    "draft": DraftLine,
    "end": End,
}
"""The models of the lines by type, without those of tables."""


def check_texts(value: Any) -> None:
    """Refuse control characters in any text of the line, also in keys. Raises: PydanticCustomError."""
    match value:
        case str():
            without_controls(value)
        case list():
            for item in value:
                check_texts(item)
        case dict():
            for key, item in value.items():
                without_controls(key)
                check_texts(item)
