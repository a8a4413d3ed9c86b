"""Every type of event that clients may receive, in words: when it is sent, to whom, and its fields.

The guide's page of events is made from this (`channels.docs_site.generated`), and this from the models
(`channels.event_views.shapes`), against which every event that a test receives is validated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin

from pydantic import BaseModel

from channels.event_views.shapes import EVENT_MODELS, EventModel


@dataclass(frozen=True, slots=True)
class EventAbout:
    """What a client developer needs to know of a type of event.

    `fields` are those beside `type`, `at` and `stream_id`: the JSON type of each, then its meaning. The types are
    `text`, `integer`, `boolean`, `object`, `array` and `null`, several of them joined by ` or `.
    """

    when: str
    receivers: str
    fields: Mapping[str, tuple[str, str]]
    sometimes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Fields that only some events of the type have."""


COMMON_FIELDS: Final = tuple(EventModel.model_fields)
"""The fields of every event."""

_WORDS: Final[Mapping[type, str]] = {
    str: "text",
    datetime: "text",
    Enum: "text",
    bool: "boolean",
    int: "integer",
    dict: "object",
    BaseModel: "object",
    list: "array",
    tuple: "array",
    NoneType: "null",
}


def words_of(annotation: Any) -> Iterator[str]:
    """The JSON types of a field, each as the guide calls it."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        for each in get_args(annotation):
            yield from words_of(each)
    elif origin is Annotated:
        yield from words_of(get_args(annotation)[0])
    elif origin is Literal:
        for value in get_args(annotation):
            yield from words_of(type(value))
    elif isinstance(annotation, NewType):
        yield from words_of(annotation.__supertype__)
    else:
        kind = origin or annotation
        yield next(word for base, word in _WORDS.items() if issubclass(kind, base))


def one_line(text: str) -> str:
    """The text of a docstring as one line."""
    return " ".join(text.split())


def _about(model: type[EventModel]) -> EventAbout:
    always: dict[str, tuple[str, str]] = {}
    sometimes: dict[str, tuple[str, str]] = {}
    for name, shape in model.model_fields.items():
        if name in COMMON_FIELDS:
            continue
        words = dict.fromkeys(words_of(shape.annotation))
        if not shape.is_required():  # None stands for its absence
            del words["null"]
        found = always if shape.is_required() else sometimes
        found[name] = (" or ".join(words), one_line(shape.description or ""))
    return EventAbout(one_line(model.__doc__ or ""), model.receivers, always, sometimes)


MODEL_OF: Final[Mapping[str, type[EventModel]]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in EVENT_MODELS
}
"""The model of each type, in the order of the guide."""
CATALOGUE: Final[Mapping[str, EventAbout]] = {
    name: _about(model) for name, model in MODEL_OF.items()
}
EVENT_TYPES: Final = tuple(CATALOGUE)
"""Every type of event that clients may receive."""
SOCKET_EVENT_TYPES: Final = tuple(
    name for name in EVENT_TYPES if name not in {"report.opened", "user.deleted"}
)
"""Those that sockets receive: a report is for back ends of the application alone."""
