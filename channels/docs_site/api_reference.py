"""The API reference: the OpenAPI document of the server, arranged for readers.

One page for each tag, with its calls; one page with all schemas. Everything here comes from the document, so that it
cannot differ from what the server does.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from channels.docs_site.addresses import API, SCHEMAS
from channels.docs_site.search import Passage

_SERVER: Final = "http://127.0.0.1:8080"
_WHO: Final = re.compile(
    r" \(((?:owner|admin|subscriber|member|the application|the owner|its sender)[^()]*)\)"
)
_END: Final = re.compile(r"[.;] ")
_ERROR: Final = re.compile(r"`(\w+)`: (.*?)(?=; `\w+`: |$)")
_REF: Final = "#/components/schemas/"
_EXAMPLES: Final = {
    "channel_id": "news",
    "group_id": "@TGS#_tea",
    "conversation_id": "@TGS#_tea",
    "user_id": "ada",
    "emoji": "👍",
    "seq": "1",
    "name": "Work",
    "draft_id": "DRAFT_ID",
    "media_id": "MEDIA_ID",
    "ids": "ada,bob",
}
_WEIGHT: Final = 0.6  # in the search: the guides explain, so they come before the calls
_PATTERN_CHARACTERS: Final = 40  # a longer pattern tells a reader nothing


class Bit(NamedTuple):
    """A piece of a type; `schema` is the name of the schema that it links to."""

    text: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body."""

    name: str
    kind: Sequence[Bit]
    is_required: bool
    limits: Sequence[str]
    default: str | None
    description: str
    place: str = ""
    """Of a parameter: `path`, `query` or `header`."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the document."""

    name: str
    title: str
    description: str
    kind: Sequence[Bit]
    """Of a schema without fields."""
    fields: Sequence[Field]
    example: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent or returned, in one media type."""

    content_type: str
    kind: Sequence[Bit]
    fields: Sequence[Field]
    example: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without an error."""

    status: str
    description: str
    bodies: Sequence[Body]


@dataclass(frozen=True, slots=True)
class Error:
    """An error that a call may return."""

    status: str
    code: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call: a method on a path."""

    method: str
    path: str
    tag: str
    anchor: str
    title: str
    notes: str
    who: str | None
    """The roles that may call, where the document names them."""
    needs_token: bool
    parameters: Sequence[Field]
    body_description: str
    body_is_required: bool
    bodies: Sequence[Body]
    answers: Sequence[Answer]
    errors: Sequence[Error]
    curl: str

    @property
    def address(self) -> str:
        """Where the call is described."""
        return f"{API}/{slug_of(self.tag)}#{self.anchor}"

    @property
    def short_path(self) -> str:
        """The path as a list of calls shows it."""
        return self.path.removeprefix("/v1")

    def fits(self, segments: Sequence[str]) -> bool:
        """Whether a path of these segments may be this call."""
        own = self.short_path.split("/")
        return len(own) == len(segments) and all(
            part == segment or (part.startswith("{") and segment != "")
            for part, segment in zip(own, segments, strict=True)
        )


class ApiReference:
    """The calls and schemas of an OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: dict[str, Any] = document["components"]["schemas"]
        self.introduction = str(document["info"]["description"])
        self.version = str(document["info"]["version"])
        self.calls = [
            self._call(method, path, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
        ]
        self.tags = [str(tag["name"]) for tag in document["tags"]]

    def calls_of(self, tag: str) -> list[Call]:
        """The calls with this tag."""
        return [call for call in self.calls if call.tag == tag]

    def address_of(self, method: str, path: str) -> str | None:
        """Where a call is described. Guides write paths without `/v1`, and with values: `/channels/news`."""
        segments = path.partition("?")[0].removeprefix("/v1").split("/")
        fitting = [call for call in self.calls if call.method == method and call.fits(segments)]
        # A literal segment goes before a parameter, as in the router.
        best = min(fitting, key=lambda call: call.short_path.count("{"), default=None)
        return best.address if best else None

    def schemas(self) -> list[Schema]:
        """All schemas, by title."""
        found = [self._schema(name, schema) for name, schema in self._schemas.items()]
        return sorted(found, key=lambda schema: schema.title.casefold())

    def passages(self) -> Iterator[Passage]:
        """The calls and schemas, for the search."""
        for call in self.calls:
            fields = [field for body in call.bodies for field in body.fields]
            words = [call.notes, call.who or "", *(error.code for error in call.errors)]
            for field in (*call.parameters, *fields):
                words += [field.name, field.description]
            text = " ".join(filter(None, [f"{call.method} {call.path}.", *words]))
            yield Passage(call.address, call.tag, call.title, "API", text.replace("`", ""), _WEIGHT)
        for schema in self.schemas():
            names = ", ".join(field.name for field in schema.fields)
            text = f"{schema.description} {names}".replace("`", "").strip()
            address = f"{SCHEMAS}#{schema.name}"
            yield Passage(address, "Schemas", schema.title, "API", text, _WEIGHT)

    def _call(self, method: str, path: str, operation: Mapping[str, Any]) -> Call:
        tag = operation["tags"][0]
        who, title, notes = _summary_of(operation["summary"])
        if operation.get("description"):
            notes = f"{notes} {operation['description']}".strip()
        parameters = [self._parameter(each) for each in operation.get("parameters", ())]
        request = operation.get("requestBody", {})
        bodies = list(self._bodies(request.get("content", {})))
        answers: list[Answer] = []
        errors: list[Error] = []
        for status, response in operation["responses"].items():
            if status < "400":
                content = list(self._bodies(response.get("content", {})))
                answers.append(Answer(status, response["description"], content))
            else:
                for code, meaning in _ERROR.findall(response["description"]):
                    errors.append(Error(status, code, meaning))
        name = operation["operationId"].removeprefix(f"{tag.lower().replace(' ', '_')}_")
        needs_token = operation.get("security") != []
        return Call(
            method=method.upper(),
            path=path,
            tag=tag,
            anchor=name.replace("_", "-"),
            title=title,
            notes=notes,
            who=who,
            needs_token=needs_token,
            parameters=parameters,
            body_description=request.get("description", ""),
            body_is_required=request.get("required", False),
            bodies=bodies,
            answers=answers,
            errors=errors,
            curl=_curl(method.upper(), path, operation, bodies, needs_token=needs_token),
        )

    def _bodies(self, content: Mapping[str, Any]) -> Iterator[Body]:
        for content_type, described in content.items():
            schema = described["schema"]
            name = _name_in(schema)
            target = self._schemas[name] if name else schema
            fields = self._fields(target)
            kind = self._kind(schema) if schema else ()
            yield Body(content_type, kind, fields, _example_of(target))

    def _schema(self, name: str, schema: Mapping[str, Any]) -> Schema:
        fields = self._fields(schema)
        kind = () if fields else self._kind(schema)
        description = schema.get("description", "")
        return Schema(name, self._title(name), description, kind, fields, _example_of(schema))

    def _fields(self, schema: Mapping[str, Any]) -> list[Field]:
        required = schema.get("required", ())
        return [
            self._field(name, each, is_required=name in required)
            for name, each in schema.get("properties", {}).items()
        ]

    def _parameter(self, parameter: Mapping[str, Any]) -> Field:
        schema = {**parameter["schema"], "description": parameter.get("description", "")}
        required = bool(parameter.get("required"))
        return self._field(
            parameter["name"], schema, is_required=required, place=str(parameter["in"])
        )

    def _field(
        self, name: str, schema: Mapping[str, Any], *, is_required: bool, place: str = ""
    ) -> Field:
        default = schema.get("default")
        has_default = not is_required and default not in (None, "", {}, []) and "$ref" not in schema
        return Field(
            name=name,
            kind=self._kind(schema),
            is_required=is_required,
            limits=list(_limits_of(schema)),
            default=orjson.dumps(default).decode() if has_default else None,
            description=schema.get("description", ""),
            place=place,
        )

    def _kind(self, schema: Mapping[str, Any]) -> list[Bit]:
        name = _name_in(schema)
        if name:
            return [Bit(self._title(name), name)]
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return list(_joined(" or ", [self._kind(each) for each in schema[key]]))
        if "enum" in schema:
            return list(_joined(" or ", [[Bit(f'"{value}"')] for value in schema["enum"]]))
        if "const" in schema:
            return [Bit(orjson.dumps(schema["const"]).decode())]
        match schema.get("type"):
            case "array":
                return [Bit("array of "), *self._kind(schema.get("items", {}))]
            case "object":
                values = schema.get("additionalProperties") or next(
                    iter(schema.get("patternProperties", {}).values()), None
                )
                if isinstance(values, dict) and values:
                    return [Bit("object of "), *self._kind(values)]
                return [Bit("object")]
            case str(kind):
                return [Bit("file" if schema.get("format") == "binary" else kind)]
        return [Bit("any JSON")]

    def _title(self, name: str) -> str:
        """The name as people read it: `Page of PostResponse`."""
        if not name.startswith("Page_"):
            return name
        items = self._schemas[name]["properties"]["items"]["items"]
        return "Page of " + "".join(bit.text for bit in self._kind(items))


def slug_of(tag: str) -> str:
    """A tag in an address: `running-a-channel`."""
    return tag.lower().replace(" ", "-")


def _summary_of(summary: str) -> tuple[str | None, str, str]:
    """The roles that a summary names, its first statement, and the rest."""
    found = _WHO.findall(summary)
    who = found[0] if len(found) == 1 else None
    if who is not None:
        summary = _WHO.sub("", summary)
    end = _END.search(summary)
    if end is None:
        return who, summary, ""
    rest = summary[end.end() :]
    return who, summary[: end.start()], f"{rest[0].upper()}{rest[1:]}."


def _name_in(schema: Mapping[str, Any]) -> str | None:
    ref = schema.get("$ref")
    return str(ref).removeprefix(_REF) if ref else None


def _joined(between: str, kinds: Sequence[Sequence[Bit]]) -> Iterator[Bit]:
    for number, kind in enumerate(kinds):
        if number:
            yield Bit(between)
        yield from kind


def _limits_of(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a value must keep to, in words."""
    for key in ("anyOf", "oneOf"):
        for each in schema.get(key, ()):
            yield from _limits_of(each)
    if "x-limit-bytes" in schema:
        yield f"at most {schema['x-limit-bytes']:,} bytes"
        yield from _range(schema.get("minLength"), None, "characters")
    else:
        yield from _range(schema.get("minLength"), schema.get("maxLength"), "characters")
    yield from _range(schema.get("minimum"), schema.get("maximum"), "")
    yield from _range(schema.get("minItems"), schema.get("maxItems"), "items")
    if "exclusiveMaximum" in schema:
        yield f"below {schema['exclusiveMaximum']:,}"
    if "x-emoji" in schema:
        yield "one emoji"
    if schema.get("format") not in (None, "binary"):
        yield f"format {schema['format']}"
    pattern = schema.get("pattern", "")
    if pattern and len(pattern) <= _PATTERN_CHARACTERS and "\\x00" not in pattern:
        yield f"pattern `{pattern}`"


def _range(least: Any, most: Any, unit: str) -> Iterator[str]:
    tail = f" {unit}" if unit else ""
    if least and most is not None:
        yield f"{least:,} to {most:,}{tail}"
    elif most is not None:
        yield f"at most {most:,}{tail}"
    elif least:
        yield f"at least {least:,}{tail.removesuffix('s') if least == 1 else tail}"


def _example_of(schema: Mapping[str, Any]) -> str | None:
    examples = schema.get("examples")
    if not examples or not isinstance(examples[0], dict):
        return None
    return orjson.dumps(examples[0], option=orjson.OPT_INDENT_2).decode()


def _curl(
    method: str,
    path: str,
    operation: Mapping[str, Any],
    bodies: Sequence[Body],
    *,
    needs_token: bool,
) -> str:
    """The call as a shell command."""
    query: dict[str, str] = {}
    for parameter in operation.get("parameters", ()):
        name, place = parameter["name"], parameter["in"]
        if place == "path":
            value = _EXAMPLES.get(name, name.upper())
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        elif place == "query" and parameter.get("required"):
            query[name] = _EXAMPLES.get(name, name.upper())
    address = _SERVER + path + (f"?{urlencode(query)}" if query else "")
    verb = "" if method == "GET" else f"-X {method} "
    parts = [f"curl {verb}{shlex.quote(address)}"]
    if needs_token:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if bodies and operation["requestBody"].get("required"):
        body = bodies[0]
        parts.append(f"-H 'Content-Type: {body.content_type}'")
        if body.content_type == "application/octet-stream":
            parts += ["-H 'X-File-Name: picture.png'", "--data-binary @picture.png"]
        elif body.content_type == "application/x-ndjson":
            parts.append("--data-binary @lines.ndjson")
        elif body.example:
            compact = orjson.dumps(orjson.loads(body.example)).decode()
            parts.append(f"-d {shlex.quote(compact)}")
    return " \\\n  ".join(parts)
