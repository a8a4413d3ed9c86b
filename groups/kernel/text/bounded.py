r"""Text whose length is limited in UTF-8 bytes, as the founding document states its limits.

A type has the name and the default of its limit (`Annotated[str, MaxBytes("group_name_bytes", 100)]`). A deployment may
set another limit, which reaches the check as `limits` in pydantic's validation context. Bytes are not characters: 50
Chinese characters take 150 bytes.

No text has control characters (C0 except newline and tab, DEL, C1), U+FFFE or U+FFFF: they show nothing, confuse
terminals and logs, and grow sixfold in JSON. `Text` has several lines, with `\r\n` and `\r` stored as `\n`; `Line`,
`OneLine` and `NotBlank` have one. Texts that were stored before this rule are still shown as they are.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LIMITS = "limits"
"""The key of the deployment's limits in the validation context."""

LIMIT_BYTES = "x-limit-bytes"
"""The key of a text's limit in bytes in a JSON schema."""

TOO_LONG = "field_too_long"
"""The pydantic error type that the HTTP layer turns into `FieldTooLong`."""


def byte_length(text: str) -> int:
    """The text's length in UTF-8 bytes; refuses a lone surrogate, which JSON can express and UTF-8 cannot."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise PydanticCustomError("not_unicode", "is not valid Unicode text") from None


@dataclass(frozen=True, slots=True)
class MaxBytes:
    """A limit in UTF-8 bytes: its name among the deployment's limits, and its default."""

    name: str
    default: int

    def limit(self, info: ValidationInfo) -> int:
        limits: object = (info.context or {}).get(LIMITS)
        return int(getattr(limits, self.name, self.default))

    def _check(self, text: str, info: ValidationInfo) -> str:
        limit = self.limit(info)
        held = byte_length(text)
        if held > limit:
            raise PydanticCustomError(
                TOO_LONG,
                "may hold at most {limit_bytes} bytes of UTF-8",
                {"limit_bytes": limit, "held_bytes": held},
            )
        return text

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # JSON Schema counts characters, and n bytes are at most n characters; the limit in bytes has a key of its own.
        json_schema = handler(schema)
        json_schema["maxLength"] = self.default
        json_schema[LIMIT_BYTES] = self.default
        return json_schema


@dataclass(frozen=True, slots=True)
class SchemaHint:
    """Describes, in JSON Schema, a text that a validator checks; it checks nothing itself.

    It may allow too much, never too little. The patterns mean the same in ECMA-262, Python and Rust.
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
"""The insides of character classes, for the patterns of the schema."""
_SURROGATES: Final = r"\ud800-\udfff"
_REFUSED_IN_TEXTS: Final = re.compile(f"[{_NOT_IN_TEXTS}{_SURROGATES}]")
_REFUSED_IN_LINES: Final = re.compile(f"[{_NOT_IN_LINES}{_SURROGATES}]")


def without_controls(text: str) -> str:
    r"""The text with `\n` as the end of each line; control characters raise PydanticCustomError."""
    # 0.2 us for a typical message, 40 us for 12 KiB.
    found = _REFUSED_IN_TEXTS.search(text)
    if found is not None:
        byte_length(found[0])  # a lone surrogate has an error of its own
        raise PydanticCustomError("control_character", "must not hold control characters")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


Text = Annotated[str, AfterValidator(without_controls), SchemaHint(f"^[^{_NOT_IN_TEXTS}]*$")]
"""Text of any number of lines."""


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


def _not_blank_text(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return without_controls(text)


NotBlankText = Annotated[
    str,
    AfterValidator(_not_blank_text),
    SchemaHint(rf"^[^{_NOT_IN_TEXTS}]*[^\s{_NOT_IN_TEXTS}][^{_NOT_IN_TEXTS}]*$"),
]
"""Text of any number of lines that shows something."""


def _one_line(text: str) -> str:
    return _not_blank(text) if text else text


OneLine = Annotated[str, AfterValidator(_one_line), SchemaHint(f"^({_SHOWS_SOMETHING})?$")]
"""One line that shows something, or nothing at all."""


def folded(text: str) -> str:
    """The text as people compare names: without case, accents, and more than one space between words."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


_SUSPECT: Final = re.compile(r"\\[bfru]|[\x7f-\x9f\ufffe\uffff]")
"""Found in the JSON of every value that has a string or key to refuse or change."""


def json_without_controls(value: Any, json: str) -> Any:
    """The value with its strings and keys as `Text` has them; `json` is its JSON without unneeded escapes."""
    # One search shows that nearly all JSON has nothing of the kind; only the rest is walked through.
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
