"""Types of fields that several bodies and responses share."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, PlainSerializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, Url
from pydantic_core import ValidationError as UrlError

from groups.kernel.clock import rfc3339
from groups.kernel.emoji_text import EmojiText
from groups.kernel.endpoint import Body, Response
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.text import Line, MaxBytes
from groups.limits import ALLOWED_REACTIONS, FACE_URL_BYTES, IDS_PER_CALL
from groups.models import media_in


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


def split_ids(text: str) -> list[str]:
    """The ids of a comma-separated list, in order, without repeats."""
    ids = [part for part in dict.fromkeys(text.split(",")) if part]
    if len(ids) > IDS_PER_CALL:
        reason = f"at most {IDS_PER_CALL} ids a call"
        raise InvalidRequest(reason, errors=[{"field": "ids", "reason": reason}])
    return ids


class PatchBody(Body):
    """The base of the bodies of PATCH: a field that is left out stays; null is refused."""

    @model_validator(mode="after")
    def _no_nulls(self) -> Self:
        for name in self.model_fields_set:
            if getattr(self, name) is None:
                raise PydanticCustomError("null", "{field} must not be null", {"field": name})
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema = handler(schema)
        for field in handler.resolve_ref_schema(json_schema)["properties"].values():
            without_null(field)
        return json_schema


def without_null(field: dict[str, Any]) -> None:
    """Remove null from the schema of a field that may be left out but not be null."""
    kinds = [kind for kind in field.pop("anyOf") if kind != {"type": "null"}]
    field.pop("default", None)
    field |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
