"""The OpenAPI 3.1 document: what the server answers, and what it sends to webhooks.

It is made from the endpoints that the server serves, and from the models of events, so the two cannot differ.
"""

import importlib.metadata
import json
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from channels.event_views.catalogue import CATALOGUE, MODEL_OF
from channels.event_views.examples import named_forms, public_payloads
from channels.event_views.public import PUBLIC_EVENT_TYPES
from channels.server.identity.errors import IdentityProviderUnavailable
from channels.server.realtime.close_codes import CloseCode
from channels.server.tokens import BadToken
from channels.server.web.problems import (
    Problem,
    RangeNotSatisfiable,
    UnsupportedMediaType,
    status_of,
)
from channels.server.web.responses import JSON, POLICY_HEADER, RATE_HEADER
from channels.server.web.streams.event_stream import EVENT_STREAM, LAST_EVENT_ID_HEADER
from channels.server.web.streams.ndjson import BYTES, NDJSON
from channels.server.web.streams.uploads import FILE_NAME_HEADER
from groups.errors import WrongAccountKind
from groups.kernel.endpoint import IDEMPOTENCY_KEY_BYTES, IDEMPOTENCY_KEY_PATTERN, Endpoint
from groups.kernel.errors import (
    BadCursor,
    DomainError,
    FieldTooLong,
    InvalidRequest,
    RateLimited,
    Unavailable,
)
from groups.kernel.paging import PageQuery
from groups.kernel.text.bounded import LIMIT_BYTES
from groups.kernel.text.emoji import EMOJI
from reactions.errors import BadEmoji

_REF: Final = "#/components/schemas/{model}"
_FILE: Final = {"type": "string", "format": "binary"}
_ALWAYS: Final = (
    InvalidRequest,
    BadToken,
    WrongAccountKind,
    RateLimited,
    Unavailable,
    IdentityProviderUnavailable,
)

_BY_MARK: Final = {LIMIT_BYTES: FieldTooLong, EMOJI: BadEmoji}
"""The errors of types, by the mark of the type in its schema."""

_WHEN: Final[dict[str, Any]] = {
    "Retry-After": {
        "description": "Seconds after which the same request may succeed.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_HEADERS: Final = {
    HTTPStatus.SERVICE_UNAVAILABLE: _WHEN,
    HTTPStatus.TOO_MANY_REQUESTS: {
        **_WHEN,
        POLICY_HEADER: {
            "description": 'The limit that was reached: `"user";q=200;w=1` is 200 a second for one user. `"messages"`'
            ' is for one group, `"address"` for clients without a valid token.',
            "schema": {"type": "string"},
        },
        RATE_HEADER: {
            "description": 'The rest of the limit, and in how many seconds there is more: `"user";r=0;t=1`.'
            " Also on other responses when little is left.",
            "schema": {"type": "string"},
        },
    },
}
"""The headers of temporary errors; those of rates by draft-ietf-httpapi-ratelimit-headers-10."""

_INTRODUCTION: Final = """Channels on group chat.

Authenticate with `Authorization: Bearer <JWT>` (`channels token USER` mints one). Errors are `application/problem+json`
with a stable `code`. Lists answer `items` and `next_cursor`; a page has at most `limit` items and about 1 MiB,
and the list ends where `next_cursor` is null. In a path a channel id is percent-encoded (`%40TOA%23_news`), or written
without its prefix (`news`).

**Events**: a back end reads them with `GET /v1/events`, or receives them as webhooks, which the section `webhooks`
describes.

**Socket**: `GET /v1/socket`, with the token in the header or in a first frame `{"type": "auth", "token": ...}` within
10 s. Then `{"type": "ready"}` and `{"type": "event", "event": {event_id, type, stream_id, seq?, at, ...}}` for all
conversations of the user. Client frames: `watch` and `unwatch` {conversation_id} for live reaction counts, `ping`.
`/asyncapi.json` describes its frames and events. Close codes: """


_WEBHOOK: Final = (
    "Sent after the commit, and again until your endpoint answers with a 2xx status."
    " Leave out an event whose `event_id` you have already."
)
_WEBHOOK_HEADERS: Final[list[dict[str, Any]]] = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": description,
    }
    for name, description in (
        ("webhook-id", "The `event_id`, the same at every attempt."),
        ("webhook-timestamp", "When this attempt was signed, in seconds since 1970."),
        (
            "webhook-signature",
            "Signatures of id, timestamp and body by https://www.standardwebhooks.com, separated by spaces.",
        ),
    )
]


def document(endpoints: Sequence[Endpoint], *, version: str | None = None) -> dict[str, Any]:
    """The document. It takes a tenth of a second to make."""
    schemas, components = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        item = paths.setdefault(endpoint.spec.path, {})
        item[endpoint.spec.method.lower()] = _operation(endpoint, schemas)
    codes = ", ".join(
        f"{code.value} {code.name.lower()} ({'reconnect' if code.should_reconnect else 'final'})"
        for code in CloseCode
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Channel layer",
            "version": version or importlib.metadata.version("channel-layer"),
            "description": _INTRODUCTION + codes + ".",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "webhooks": {name: _webhook(name, schemas) for name in PUBLIC_EVENT_TYPES},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


_Schemas = dict[tuple[type[BaseModel], JsonSchemaMode], dict[str, Any]]


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[_Schemas, dict[str, Any]]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    models |= {(MODEL_OF[name], "serialization"): None for name in PUBLIC_EVENT_TYPES}
    for endpoint in endpoints:
        for taken in filter(None, (endpoint.body, endpoint.line)):
            models[taken, "validation"] = None
        if endpoint.answer is not None:
            models[endpoint.answer, "serialization"] = None
    by_model, definitions = models_json_schema(list(models), ref_template=_REF)
    found: _Schemas = {
        (model, mode): schema
        for (model, mode), schema in by_model.items()
        if issubclass(model, BaseModel)
    }
    named = definitions.get("$defs", {})
    for endpoint in endpoints:
        if endpoint.query is not None:
            named |= endpoint.query.model_json_schema(ref_template=_REF).get("$defs", {})
    _close(named)
    return found, named


def _close(schema: Any) -> None:
    """Let the schema refuse keys that match no pattern, as the types do; pydantic leaves that open."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)


def _operation(endpoint: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    spec = endpoint.spec
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.tag.lower().replace(' ', '_')}_{endpoint.name}",
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": not endpoint.body_is_optional,
            "content": {JSON: {"schema": schemas[endpoint.body, "validation"]}},
        }
    if endpoint.line is not None:
        operation["requestBody"] = {
            "required": True,
            "description": "One object on each line, any number of lines.",
            # Generators of clients know no NDJSON; as bytes they can send it.
            "content": {
                NDJSON: {"schema": schemas[endpoint.line, "validation"]},
                BYTES: {"schema": _FILE},
            },
        }
    if endpoint.takes_upload:
        form = {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}
        operation["requestBody"] = {
            "required": True,
            "description": "The bytes of the file itself, or a form with one; JSON only as a file with a name.",
            "content": {
                BYTES: {"schema": {}},
                "multipart/form-data": {"schema": form},
            },
        }
    if endpoint.may_have_actor:
        operation["security"] = [{}, {"bearer": []}]
    elif not endpoint.needs_actor:
        operation["security"] = []
    if spec.method == "DELETE" and not operation["parameters"]:
        del operation["parameters"]
    return operation


def _webhook(name: str, schemas: _Schemas) -> dict[str, Any]:
    """The request that an endpoint of a back end receives with an event of this type."""
    forms = named_forms(public_payloads()[name])
    content = {
        "schema": schemas[MODEL_OF[name], "serialization"],
        "examples": {form: {"value": payload} for form, payload in forms.items()},
    }
    operation = {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": CATALOGUE[name].when,
        "description": _WEBHOOK,
        "security": [],
        "parameters": _WEBHOOK_HEADERS,
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {"2XX": {"description": "The event was received, and is not sent again."}},
    }
    return {"post": operation}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    parameters = [
        _parameter("path", name, kind.json_schema(ref_template=_REF), required=True)
        for name, kind in endpoint.path.items()
    ]
    if endpoint.query is not None:
        schema = endpoint.query.model_json_schema(ref_template=_REF)
        required = schema.get("required", [])
        for name, part in schema["properties"].items():
            parameters.append(_parameter("query", name, part, required=name in required))
    if endpoint.takes_upload:
        called = _parameter("header", FILE_NAME_HEADER, {"type": "string"}, required=False)
        called["description"] = "The percent-encoded name of a file that is sent as the body."
        parameters.append(called)
    if endpoint.takes_last_event_id:
        last = _parameter("header", LAST_EVENT_ID_HEADER, {"type": "string"}, required=False)
        last["description"] = "The `id` of the last event of an event stream, to go on after it."
        parameters.append(last)
    if endpoint.takes_key:
        schema = {
            "type": "string",
            "minLength": 1,
            "maxLength": IDEMPOTENCY_KEY_BYTES,
            "pattern": IDEMPOTENCY_KEY_PATTERN,
        }
        key = _parameter("header", "Idempotency-Key", schema, required=False)
        key["description"] = "Repeats with the same key take effect once and return the same."
        parameters.append(key)
    return parameters


def _parameter(place: str, name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = {key: value for key, value in schema.items() if key != "title"}
    # A parameter is present or absent; null is for bodies.
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if kinds and schema.get("default", ...) is None:
        del schema["default"]
    schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
    description = schema.pop("description", None)
    examples = schema.pop("examples", None)
    parameter = {"name": name, "in": place, "required": required, "schema": schema}
    if description:
        parameter["description"] = description
    if examples:
        parameter["example"] = examples[0]
    return parameter


@cache
def _described(part: type[BaseModel] | TypeAdapter[Any]) -> str:
    adapter = part if isinstance(part, TypeAdapter) else TypeAdapter(part)
    return json.dumps(adapter.json_schema())


def errors_of(endpoint: Endpoint) -> list[type[DomainError]]:
    """The errors that the endpoint may return, each once."""
    errors = [*endpoint.spec.errors, *_ALWAYS]
    if endpoint.line is not None or endpoint.body is not None or endpoint.takes_upload:
        errors.append(UnsupportedMediaType)
    if endpoint.query is not None and issubclass(endpoint.query, PageQuery):
        errors.append(BadCursor)
    parts = [*endpoint.path.values(), *filter(None, (endpoint.body, endpoint.query))]
    described = "".join(map(_described, parts))
    # Some types have an error code of their own.
    errors += [error for mark, error in _BY_MARK.items() if f'"{mark}"' in described]
    if not endpoint.needs_actor and not endpoint.may_have_actor:
        errors = [*endpoint.spec.errors, RateLimited, Unavailable]
    if endpoint.is_download:
        errors += [InvalidRequest, RangeNotSatisfiable]
    return list(dict.fromkeys(errors))


def _responses(endpoint: Endpoint, schemas: _Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in (endpoint.spec.status, *endpoint.spec.also):
        response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if endpoint.answer is not None:
            schema = schemas[endpoint.answer, "serialization"]
            response["content"] = {NDJSON if endpoint.is_stream else JSON: {"schema": schema}}
            if endpoint.is_stream:
                response["description"] += (
                    ": one object on each line, each as soon as it is known; as bytes if so was the body"
                )
                response["content"][BYTES] = {"schema": _FILE}
        if endpoint.takes_last_event_id:
            response["content"][EVENT_STREAM] = {"schema": {"type": "string"}}
        elif endpoint.takes_accept:
            response["content"]["text/csv"] = {"schema": {"type": "string"}}
        if endpoint.is_download:
            # A file whose type nobody knows is one of bytes; generators of clients understand no range of types.
            response["content"] = {BYTES: {"schema": _FILE}, "*/*": {"schema": {}}}
        responses[str(status)] = response
    if endpoint.is_download:
        responses["206"] = {**responses[str(endpoint.spec.status)], "description": "The range"}
        responses["304"] = {"description": "The client has it already"}
    by_status: dict[HTTPStatus, list[type[DomainError]]] = {}
    for error in errors_of(endpoint):
        by_status.setdefault(status_of(error), []).append(error)
    for status, kinds in sorted(by_status.items()):
        responses[str(int(status))] = {
            "description": "; ".join(f"`{kind.code}`: {kind.summary}" for kind in kinds),
            "content": {"application/problem+json": {"schema": schemas[Problem, "serialization"]}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
    return responses
