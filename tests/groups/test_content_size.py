"""Every text of a message counts against the limit of its body, also one of a kind that is new."""

from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from groups.models import Attachment, Content

OF_THE_SERVER: Final = {"media[].content_type", "media[].name", "links[].image"}
"""Texts that the server writes: they describe an upload, whose size has limits of its own. The id of a link's picture
counts among the uploads."""

TEXT: Final = "ten bytes."

Path = tuple[str, ...]


def texts_of(model: type[BaseModel], path: Path = ()) -> Iterator[Path]:
    """The paths of all texts in the model, but for the values of enums."""
    for name, field in model.model_fields.items():
        yield from _texts_in(field.annotation, (*path, name))


def _texts_in(annotation: Any, path: Path) -> Iterator[Path]:
    if get_origin(annotation) in {Union, UnionType}:
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is tuple:
        yield from _texts_in(get_args(annotation)[0], (*path[:-1], f"{path[-1]}[]"))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from texts_of(annotation, path)
    elif annotation is str:
        yield path


def filled(model: type[BaseModel], path: Path) -> dict[str, Any]:
    """Values for the model in which only the text at the path is not as short as it may be."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            values[name] = _least(field.annotation)
    name, *tuples = path[0].split("[]")
    below: Any = TEXT
    if len(path) > 1:
        (inner,) = set(_models_in(model.model_fields[name].annotation))
        below = filled(inner, path[1:])
    for _ in tuples:
        below = (below,)
    return values | {name: below}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _least(annotation: Any) -> Any:
    if issubclass(annotation, Enum):
        return next(iter(annotation))
    if issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return {name: _least(field.annotation) for name, field in fields if field.is_required()}
    return "" if annotation is str else annotation()


PATHS: Final = [path for path in texts_of(Content) if ".".join(path) not in OF_THE_SERVER]


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_each_text_of_a_message_counts(path: Path) -> None:
    assert Content.model_validate(filled(Content, path)).size_bytes == len(TEXT)


def test_the_texts_of_a_message_are_found() -> None:
    assert {("text",), ("links[]", "url"), ("location", "name"), ("media[]", "media_id")} <= set(
        PATHS
    )
    assert ("media_id",) in set(texts_of(Attachment))
