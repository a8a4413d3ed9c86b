"""The API's description as the models of the Python client.

`python -m tests.client_models` writes `channels/client/models.py` and `channels/client/event_models.py` anew. The
client does not import the server's models: these need half of the server, and they refuse fields that they do not know,
which a client must not do.
"""

import json
import keyword
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

from pydantic.json_schema import models_json_schema

from channels.event_views.shapes import EVENT_MODELS
from channels.server.app import endpoints_for
from channels.server.web.openapi import document

CLIENT: Final = Path(__file__).parents[1] / "channels/client"
MODELS: Final = CLIENT / "models.py"
EVENTS: Final = CLIENT / "event_models.py"

_MODELS_HEAD: Final = '''\
"""What the API takes and answers, made from its OpenAPI document by `python -m tests.client_models`. Do not edit.

Answers are models that keep fields which they do not know; bodies of requests are typed dictionaries. A type of a few
words, such as `Role`, is open: a newer server may send others.
"""

from datetime import datetime
from typing import Any, Generic, Literal, Required, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Answer(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Page(Answer, Generic[T]):
    """Some items of a list, and the cursor to the next ones; None at the end."""

    items: list[T]
    next_cursor: str | None = None


'''
_EVENTS_HEAD: Final = '''\
"""Every event, made from the events of the server by `python -m tests.client_models`. Do not edit.

A field that an event does not have is None. `event_id` is None where the client made the event itself, of a message
that it read over HTTP.
"""

from datetime import datetime
from typing import Any, Literal

from channels.client.models import {imported}

__all__ = {exported}


class EventBase(Answer):
    """The fields of all events."""

    type: str
    event_id: str | None = None
    """The same on the socket, in the feed and in webhooks: leave out an event whose id you have already."""
    stream_id: str | None = None
    at: datetime


'''

Schema = Mapping[str, Any]
_OF_ALL_EVENTS: Final = {"event_id", "at"}
_TIMES: Final = {"at", "since"}
_ENDS_OF_TIMES: Final = ("_at", "_until", "_since")


class _Writer:
    """Writes the schemas of one document as Python."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def name(self, schema_name: str) -> str:
        """The class of a schema: without `Response`, unless a body has that name."""
        if schema_name.startswith("Page_"):
            return self._page(schema_name)
        short = schema_name.removesuffix("Response")
        return schema_name if short in self._schemas else short

    def _page(self, schema_name: str) -> str:
        inner = schema_name.removeprefix("Page_").removesuffix("_")
        models = inner.removeprefix("Union_").removesuffix("_").split("__")
        return f"Page[{' | '.join(map(self.name, models))}]"

    def kind(self, schema: Schema, field: str = "", *, sent: bool = False) -> str:
        """The Python type of a value: `sent` in a body, otherwise received."""
        match schema:
            case {"$ref": ref}:
                return self.name(ref.rpartition("/")[2])
            case {"const": value}:
                return f"Literal[{value!r}]"
            case {"enum": values}:
                known = f"Literal[{', '.join(map(repr, values))}]"
                return known if sent else f"{known} | str"
            case {"anyOf": kinds} | {"oneOf": kinds}:
                names = [self.kind(one, field, sent=sent) for one in kinds]
                names = list(dict.fromkeys(part for name in names for part in _parts(name)))
                return " | ".join(sorted(names, key=lambda name: name == "None"))
            case {"type": "array", "prefixItems": items}:  # a tuple
                return f"list[{self.kind({'anyOf': items}, sent=sent)}]"
            case {"type": "array", "items": items}:
                return f"list[{self.kind(items, sent=sent)}]"
            case {"type": "array", "prefixItems": [first, *_]}:
                return f"list[{self.kind(first, sent=sent)}]"
            case {"type": "object", "patternProperties": values}:
                (value,) = values.values()
                return f"dict[str, {self.kind(value, sent=sent)}]"
            case {"type": "object", "additionalProperties": dict(value)}:
                return f"dict[str, {self.kind(value, sent=sent)}]"
            case {"type": "object"}:
                return "dict[str, Any]"
            case {"type": "string"} if field in _TIMES or field.endswith(_ENDS_OF_TIMES):
                return "datetime | str" if sent else "datetime"
            case {"type": str(kind)}:
                return {
                    "string": "str",
                    "integer": "int",
                    "number": "float",
                    "boolean": "bool",
                    "null": "None",
                }[kind]
        return "Any"  # any JSON value

    def answer(self, schema_name: str, base: str = "Answer") -> Iterator[str]:
        schema = self._schemas[schema_name]
        if "properties" not in schema:
            yield from self._alias(schema_name, schema)
            return
        yield f"class {self.name(schema_name)}({base}):"
        yield from _docstring(schema, schema_name)
        yield ""
        required = schema.get("required", ())
        for field, value in schema["properties"].items():
            if base == "EventBase" and field in _OF_ALL_EVENTS:
                continue
            kind = self.kind(value, field)
            default = ""
            if "None" in _parts(kind):
                default = " = None"
            elif field not in required and "default" in value:
                default = f" = {value['default']!r}"
            elif field not in required:
                kind, default = f"{kind} | None", " = None"
            if keyword.iskeyword(field):  # `from`
                default = (
                    f" = Field({f'default={default[3:]}, ' if default else ''}alias={field!r})"
                )
                field += "_"
            yield f"    {field}: {kind}{default}"
            yield from _field_docstring(value)
        yield ""
        yield ""

    def body(self, schema_name: str) -> Iterator[str]:
        schema = self._schemas[schema_name]
        yield f"class {self.name(schema_name)}(TypedDict, total=False):"
        yield from _docstring(schema, schema_name)
        yield ""
        required = schema.get("required", ())
        for field, value in schema["properties"].items():
            kind = self.kind(value, field, sent=True)
            # The client fills in the kind of a message.
            is_required = field in required and field != "kind"
            yield f"    {field}: {f'Required[{kind}]' if is_required else kind}"
            yield from _field_docstring(value)
        yield ""
        yield ""

    def _alias(self, schema_name: str, schema: Schema) -> Iterator[str]:
        yield f"{self.name(schema_name)} = {self.kind(schema)}"
        about = schema.get("description", "Any JSON value." if not schema else "")
        if about:
            yield f'"""{_text(about, 0)}"""'
        yield ""


def _parts(kind: str) -> list[str]:
    """The alternatives of a type, without taking brackets apart."""
    found, depth, start = [], 0, 0
    for place, letter in enumerate(kind):
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and depth == 0:
            found.append(kind[start:place].strip())
            start = place + 1
    return [*found, kind[start:].strip()]


def _text(about: str, indent: int) -> str:
    about = about.replace("\\", "\\\\")
    paragraphs = [
        textwrap.fill(part, 113 - indent, break_long_words=False, break_on_hyphens=False)
        for part in about.split("\n\n")
    ]
    return textwrap.indent("\n\n".join(paragraphs), " " * indent).strip()


def _docstring(schema: Schema, schema_name: str) -> Iterator[str]:
    about = _text(schema.get("description") or f"`{schema_name}` of the API.", 4)
    summary, _, rest = about.partition("\n")
    if rest and not rest.startswith("\n"):  # a summary is one line
        first, dot, more = " ".join(about.split()).partition(". ")
        summary = first + dot.strip()
        rest = "\n" + textwrap.indent(textwrap.fill(more, 112), "    ")
    yield f'    """{summary}' + (f'\n{rest}\n    """' if rest else '"""')


def _field_docstring(value: Schema) -> Iterator[str]:
    if about := value.get("description"):
        yield f'    """{_text(about, 4)}"""'


def _refs(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from _refs(value)


def _reachable(names: Iterable[str], schemas: Mapping[str, Schema]) -> list[str]:
    """These schemas and all that they hold, each after those that it holds."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in found:
            for inner in sorted(set(_refs(schemas[name])) - {name}):
                visit(inner)
            found[name] = None

    for name in sorted(set(names)):
        visit(name)
    return list(found)


def _formatted(source: str, name: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", name, "-"]
    run = subprocess.run(ruff, input=source, capture_output=True, text=True, check=False)
    assert not run.returncode, run.stderr
    return run.stdout


def _api() -> tuple[Mapping[str, Schema], list[str], list[str]]:
    """The schemas of the API, the names of those that are sent, and of those that are received."""
    # Only what the routes declare is read; no service is called.
    spec = document(endpoints_for(MagicMock()), version="")
    schemas = spec["components"]["schemas"]
    # Events have a module of their own, so the page of the feed is written by hand.
    operations = [
        one for path, item in spec["paths"].items() for one in item.values() if path != "/v1/events"
    ]
    sent = _reachable(
        (name for one in operations for name in _refs(one.get("requestBody", {}))), schemas
    )
    received = _reachable((name for one in operations for name in _refs(one["responses"])), schemas)
    return schemas, sent, received


def models() -> str:
    """The module of answers and bodies, for the code as it is."""
    schemas, sent, received = _api()
    writer = _Writer(schemas)
    lines: list[str] = []
    for name in received:
        if not name.startswith("Page_"):
            lines += writer.answer(name)
    for name in sent:
        if name not in received:
            lines += writer.body(name) if "properties" in schemas[name] else writer.answer(name)
        elif "properties" in schemas[name]:
            raise TypeError(f"{name} is sent and received: give the two models names of their own")
    return _formatted(_MODELS_HEAD + "\n".join(lines), "models.py")


def events() -> str:
    """The module of events, for the code as it is."""
    template = "#/components/schemas/{model}"
    _, defined = models_json_schema(
        [(model, "serialization") for model in EVENT_MODELS], ref_template=template
    )
    schemas = defined["$defs"]
    api, _, received = _api()
    writer = _Writer(schemas)
    names = [model.__name__ for model in EVENT_MODELS]
    own, imported = [], set()
    for name in _reachable(names, schemas):
        if name in received and schemas[name] == api[name]:
            if schemas[name]:
                imported.add(writer.name(name))
        else:
            own.append(name)
    imported_first = imported & {
        writer.name(inner) for name in own for inner in _refs(schemas[name])
    }
    lines: list[str] = []
    for name in own:
        if schemas[name]:
            lines += writer.answer(name, "EventBase" if name in names else "Answer")
    lines.append(f"EventModel = {' | '.join(names)}")
    lines.append('"""An event of a known type."""\n')
    types = {schemas[name]["properties"]["type"]["const"]: name for name in names}
    lines.append("MODELS: dict[str, type[EventBase]] = {")
    lines += [f"    {kind!r}: {name}," for kind, name in types.items()]
    lines.append('}\n"""The model of each type."""')
    exported = json.dumps(["MODELS", *sorted(["EventBase", "EventModel", *map(writer.name, own)])])
    head = _EVENTS_HEAD.replace(
        "{imported}", ", ".join(sorted({"Answer", *imported_first}))
    ).replace("{exported}", exported)
    return _formatted(head + "\n".join(lines).replace("JsonValue", "Any"), "event_models.py")


def main() -> None:
    """Writes both modules anew."""
    MODELS.write_text(models(), encoding="utf-8")
    EVENTS.write_text(events(), encoding="utf-8")


if __name__ == "__main__":
    main()
