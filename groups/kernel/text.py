"""Text whose length is limited in UTF-8 bytes, as the founding document states its limits.

A type states the limit by its name and default (`Annotated[str, MaxBytes("group_name_bytes", 100)]`); a deployment may
set another, which reaches the check as `limits` in pydantic's validation context. Bytes are not characters: 50 Chinese
characters fill 150 bytes.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LIMITS = "limits"
"""The key of the validation context under which the deployment's limits travel."""

TOO_LONG = "field_too_long"
"""The pydantic error type that the HTTP edge turns into `FieldTooLong`."""


def byte_length(text: str) -> int:
    """The text's length in UTF-8 bytes; a lone surrogate, which JSON can spell and UTF-8 cannot, is refused."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise PydanticCustomError("not_unicode", "is not valid Unicode text") from None


@dataclass(frozen=True, slots=True)
class MaxBytes:
    """At most so many UTF-8 bytes: the limit's name in the deployment's limits, and its default."""

    name: str
    default: int

    def limit(self, info: ValidationInfo) -> int:
        """The limit in force."""
        limits: object = (info.context or {}).get(LIMITS)
        return int(getattr(limits, self.name, self.default))

    def _check(self, text: str, info: ValidationInfo) -> str:
        limit = self.limit(info)
        if byte_length(text) > limit:
            raise PydanticCustomError(
                TOO_LONG, "may hold at most {limit_bytes} bytes of UTF-8", {"limit_bytes": limit}
            )
        return text

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # JSON Schema counts characters; n bytes are at most n characters, and the byte limit is told in words.
        json_schema = handler(schema)
        json_schema["maxLength"] = self.default
        json_schema["x-limit-bytes"] = self.default
        return json_schema


@dataclass(frozen=True, slots=True)
class Looks:
    """What JSON Schema can say of a text that a validator judges; it describes, and checks nothing.

    It may say too little, never too much: what is accepted fits. Patterns are read alike by ECMA-262, Python and Rust.
    """

    pattern: str
    max_length: int | None = None

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema = handler(schema)
        json_schema["pattern"] = self.pattern
        if self.max_length is not None:
            json_schema |= {"minLength": 1, "maxLength": self.max_length}
        return json_schema


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise PydanticCustomError("control_character", "must not hold control characters")
    return text


_SHOWS_SOMETHING = r"[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*"

NotBlank = Annotated[str, AfterValidator(_not_blank), Looks(f"^{_SHOWS_SOMETHING}$")]
"""One line that shows something: a name or a title."""


def _one_line(text: str) -> str:
    return _not_blank(text) if text else text


OneLine = Annotated[str, AfterValidator(_one_line), Looks(f"^({_SHOWS_SOMETHING})?$")]
"""One line that shows something, or nothing at all."""


def _unicode(text: str) -> str:
    byte_length(text)
    return text


Unicode = Annotated[str, AfterValidator(_unicode)]
"""Text whose limit depends on what is stored: whoever knows that checks it."""


def fold(text: str) -> str:
    """The text as searches compare it: case-folded."""
    return text.casefold()
