r"""Text whose length is limited in UTF-8 bytes, as the founding document states its limits.

A type states the limit by its name and default (`Annotated[str, MaxBytes("group_name_bytes", 100)]`); a deployment may
set another, which reaches the check as `limits` in pydantic's validation context. Bytes are not characters: 50 Chinese
characters fill 150 bytes.

No text holds control characters (C0 but newline and tab, DEL, C1), U+FFFE or U+FFFF: they show nothing, confuse
terminals and logs, and grow sixfold in JSON. `Text` is of several lines, with `\r\n` and `\r` stored as `\n`; `Line`,
`OneLine` and `NotBlank` are of one. Texts stored before this rule are still shown as they are.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LIMITS = "limits"
"""The key of the validation context under which the deployment's limits travel."""

LIMIT_BYTES = "x-limit-bytes"
"""Where a JSON schema tells the limit of a text in bytes."""

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
        json_schema[LIMIT_BYTES] = self.default
        return json_schema


@dataclass(frozen=True, slots=True)
class SchemaHint:
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


_NOT_IN_TEXTS: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff"
_NOT_IN_LINES: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff"
"""The insides of character classes, for the patterns that the schema declares."""
_SURROGATES: Final = r"\ud800-\udfff"
_REFUSED_IN_TEXTS: Final = re.compile(f"[{_NOT_IN_TEXTS}{_SURROGATES}]")
_REFUSED_IN_LINES: Final = re.compile(f"[{_NOT_IN_LINES}{_SURROGATES}]")


def without_controls(text: str) -> str:
    r"""The text with `\n` at the end of each line; control characters are refused.

    Raises: PydanticCustomError.
    """
    # 0.2 us for a message as most are, 40 us for 12 KiB.
    found = _REFUSED_IN_TEXTS.search(text)
    if found is not None:
        byte_length(found[0])  # a lone surrogate is refused as such
        raise PydanticCustomError("control_character", "must not hold control characters")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


Text = Annotated[str, AfterValidator(without_controls), SchemaHint(f"^[^{_NOT_IN_TEXTS}]*$")]
"""What somebody says, in any number of lines."""


def _line(text: str) -> str:
    found = _REFUSED_IN_LINES.search(text)
    if found is not None:
        byte_length(found[0])
        raise PydanticCustomError(
            "control_character", "must not hold control characters, tabs or line breaks"
        )
    return text


Line = Annotated[str, AfterValidator(_line), SchemaHint(f"^[^{_NOT_IN_LINES}]*$")]
"""One line, which may be empty or blank."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return _line(text)


_SHOWS_SOMETHING = rf"[^{_NOT_IN_LINES}]*[^\s{_NOT_IN_LINES}][^{_NOT_IN_LINES}]*"

NotBlank = Annotated[str, AfterValidator(_not_blank), SchemaHint(f"^{_SHOWS_SOMETHING}$")]
"""One line that shows something: a name or a title."""


def _one_line(text: str) -> str:
    return _not_blank(text) if text else text


OneLine = Annotated[str, AfterValidator(_one_line), SchemaHint(f"^({_SHOWS_SOMETHING})?$")]
"""One line that shows something, or nothing at all."""


_SUSPECT: Final = re.compile(r"\\[bfru]|[\x7f-\x9f\ufffe\uffff]")
"""What JSON holds wherever a string or key in it needs a closer look."""


def json_without_controls(value: Any, json: str) -> Any:
    """The value, whose JSON without unneeded escapes is `json`, with its strings and keys as `Text` has them.

    Raises: PydanticCustomError.
    """
    # Nearly all JSON holds nothing of the kind, which one search tells; only the rest is walked through.
    return value if _SUSPECT.search(json) is None else _walked(value)


def _walked(value: Any) -> Any:
    match value:
        case str():
            return without_controls(value)
        case list():
            return [_walked(item) for item in value]
        case dict():
            return {without_controls(key): _walked(item) for key, item in value.items()}
        case _:
            return value


def fold(text: str) -> str:
    """The text as searches compare it: case-folded."""
    return text.casefold()
