"""How a line of an export is written: one JSON object, its `type` first, without values that are empty.

The same values make the same bytes, on every machine and in every version: fields come in the order in which they are
given, texts are UTF-8 without escapes, instants have milliseconds and `Z`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from groups.kernel.clock import rfc3339
from groups.models import Content

LINE_BYTES: Final = 1024 * 1024
"""The longest line that is read: many times what a post may have."""


def line_of(kind: str, always: Mapping[str, Any] | None = None, /, **values: Any) -> bytes:
    """The line with these values; those that are None, False, 0 or empty are left out, unless they are in `always`."""
    kept = {name: _plain(value) for name, value in values.items() if value}
    if always:
        kept |= {name: _plain(value) for name, value in always.items()}
    return orjson.dumps({"type": kind, **kept}) + b"\n"


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return rfc3339(value)
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def content_to_json(content: Content, hashes: Mapping[str, str]) -> dict[str, Any]:
    """The content with its uploads named by the hashes of their bytes; `hashes` are by id."""
    values = content.model_dump(mode="json", exclude_defaults=True)
    for upload in values.get("media", ()):
        upload["media_id"] = hashes[upload["media_id"]]
    for link in values.get("links", ()):
        if link.get("image"):
            link["image"] = hashes[link["image"]]
    return values


def content_from_json(values: Mapping[str, Any], ids: Mapping[str, str] | None = None) -> Content:
    """The content of a line; its uploads get these ids by hash, or without `ids` keep the hashes.

    Raises: pydantic.ValidationError.
    """
    content = Content.model_validate(values)
    if ids is None:
        return content
    media = tuple(one.model_copy(update={"media_id": ids[one.media_id]}) for one in content.media)
    links = tuple(
        link.model_copy(update={"image": ids[link.image]}) if link.image else link
        for link in content.links
    )
    return content.model_copy(update={"media": media, "links": links})
