"""Types of fields that several bodies and responses share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, Url
from pydantic_core import ValidationError as UrlError

from groups.kernel.clock import rfc3339, to_milliseconds
from groups.kernel.endpoint import Body, Response
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.ids import GROUP_ID_BYTES, GroupId, is_id
from groups.kernel.text.bounded import Line, MaxBytes
from groups.kernel.text.emoji import EmojiText
from groups.limits import ALLOWED_REACTIONS, FACE_URL_BYTES, IDS_PER_CALL
from groups.models import CHANNEL_PREFIX, expand_channel_id, media_in

SHORT_CHANNEL_ID_BYTES: Final = GROUP_ID_BYTES - len(CHANNEL_PREFIX)
"""How long a channel's id may be without its prefix."""


def _web_address(text: str) -> str:
    if not text:
        return text
    try:
        url = Url(text)
    except (UrlError, ValueError):
        raise PydanticCustomError("bad_url", "must be an http or https address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise PydanticCustomError("bad_url", "must be an http or https address")
    return text


def _face_url(text: str) -> str:
    return text if media_in(text) is not None else _web_address(text)


WebAddress = Annotated[Line, AfterValidator(_web_address)]
"""An http(s) address, kept as written; empty: none."""
FaceUrl = Annotated[
    Line,
    AfterValidator(_face_url),
    MaxBytes("face_url_bytes", FACE_URL_BYTES),
    Field(
        description="An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."
    ),
]

Instant = Annotated[
    datetime, PlainSerializer(rfc3339, return_type=str, when_used="json-unless-none")
]
"""RFC 3339, UTC, milliseconds."""


def json_of(fields: Mapping[str, Any]) -> bytes:
    """The JSON of the response that has these fields, which may be responses and instants.

    It takes a fifth of the time of making the response and rendering that.
    """
    return orjson.dumps(fields, default=_as_json, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _as_json(value: datetime | BaseModel) -> str | orjson.Fragment:
    if isinstance(value, datetime):
        return rfc3339(value)
    return orjson.Fragment(value.__pydantic_serializer__.to_json(value))


def _in_utc(instant: datetime) -> datetime:
    try:
        return to_milliseconds(instant.astimezone(UTC))
    except OverflowError:
        raise PydanticCustomError("bad_instant", "must be a valid date and time") from None


InstantText = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant in a request: RFC 3339 with an offset, cut to milliseconds."""


def expanded(text: str) -> GroupId:
    """Check a channel's id, in full or without its prefix, and return it in full."""
    channel_id = expand_channel_id(text)
    if not is_id(channel_id, GROUP_ID_BYTES):
        raise PydanticCustomError(
            "bad_id",
            "must be a channel id of at most {limit_bytes} bytes of printable text",
            {"limit_bytes": GROUP_ID_BYTES},
        )
    return channel_id


StreamVersion = Annotated[
    int,
    Field(
        description="Grows with each edit, deletion, pin and freeze of a message; `changed_since` lists what changed."
    ),
]
"""The version of a conversation's stream, beside its head."""
MessageVersion = Annotated[
    int,
    Field(description="The conversation's `version` when it last changed; 0: it never changed."),
]

ReactionSetting = (
    Literal["all", "basic", "none"]
    | Annotated[tuple[EmojiText, ...], Field(min_length=1, max_length=ALLOWED_REACTIONS)]
)
"""The emoji that members may react with: all, the eight basic ones, none, or a list."""


class ItemError(Response):
    """The error of one item of a call for several."""

    code: str
    detail: str

    @classmethod
    def of(cls, error: DomainError) -> Self:
        return cls(code=error.code, detail=error.detail)


class ItemProblem(ItemError):
    """The error of one item, with what programs need of it."""

    details: Annotated[dict[str, JsonValue], Field(description="As in the problem of a call.")]

    @classmethod
    def of(cls, error: DomainError) -> Self:
        return cls(code=error.code, detail=error.detail, details=error.details)


def split_ids(text: str) -> list[str]:
    """The ids of a comma-separated list, in order, without repeats."""
    ids = [part for part in dict.fromkeys(text.split(",")) if part]
    if len(ids) > IDS_PER_CALL:
        reason = f"at most {IDS_PER_CALL} ids a call"
        raise InvalidRequest(reason, errors=[{"field": "ids", "reason": reason}])
    return ids


class PatchBody(Body):
    """The base of the bodies of PATCH: a field that is left out stays; null is refused, but where it has a meaning."""

    nullable: ClassVar[frozenset[str]] = frozenset()
    """The fields of which null is a value."""

    @model_validator(mode="after")
    def _no_nulls(self) -> Self:
        for name in self.model_fields_set - self.nullable:
            if getattr(self, name) is None:
                raise PydanticCustomError("null", "{field} must not be null", {"field": name})
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema = handler(schema)
        schema_of_body = handler.resolve_ref_schema(json_schema)
        required = schema_of_body.get("required", ())
        for name, field in schema_of_body["properties"].items():
            if name not in required and name not in cls.nullable:
                without_null(field)
        return json_schema


def without_null(field: dict[str, Any]) -> None:
    """Remove null from the schema of a field that may be left out but not be null."""
    kinds = [kind for kind in field.pop("anyOf") if kind != {"type": "null"}]
    field.pop("default", None)
    field |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


RetentionDays = Annotated[
    int,
    Field(
        ge=0,
        le=3650,
        description="Messages end so many days after they were posted (owner). 0: they are kept as long as the"
        " deployment keeps messages, which is for ever unless its operator set `CHANNELS_LIMIT_RETENTION_DAYS`.",
        examples=[0, 90],
    ),
]
"""How long a group or channel keeps messages."""
