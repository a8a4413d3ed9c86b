"""The AsyncAPI 3.0 document of the socket, made from the models of its frames and events.

It describes the server: an operation that it receives is a frame that a client sends. A client that generates code from
it turns the directions round, as AsyncAPI has it.
"""

import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from channels.event_views.catalogue import CATALOGUE, MODEL_OF, SOCKET_EVENT_TYPES, one_line
from channels.event_views.examples import named_forms, payloads
from channels.server.realtime.client_frames import CLIENT_FRAMES
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.server_frames import SERVER_FRAMES, EventFrame

_REF: Final = "#/components/schemas/{model}"
_CHANNEL: Final = "#/channels/socket"
_SOCKET_PATH: Final = "/v1/socket"

_INTRODUCTION: Final = """The socket of the channel layer: every event of one user, live.

Open `/v1/socket` with the token in the header `Authorization: Bearer <JWT>`, or, where you cannot send headers, without
it, and send `auth` as the first frame within 10 seconds. The server answers `ready`, and from then on sends every event
of all conversations of the user. You subscribe to nothing but reaction counts of groups and channels (`watch`). Writes
go over HTTP: `/openapi.json` describes them.

Frames are JSON objects in text messages. Ignore frames, events and fields that you do not know: they may be added.
A frame may have an `id`, which its answer repeats; an `error` answers a frame that was refused.

Close codes: """

_CLIENT_EXAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "auth": {
        "type": "auth",
        "id": 1,
        "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl",
    },
    "watch": {
        "type": "watch",
        "id": 2,
        "conversation_ids": ["group_@TOA#_news", "group_@TOA#_old"],
        "seqs": {"group_@TOA#_news": [6, 7]},
    },
    "unwatch": {"type": "unwatch", "id": 3, "conversation_ids": ["group_@TOA#_news"]},
    "ping": {"type": "ping", "id": 4},
}
_SERVER_EXAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "ready": {"type": "ready", "id": 1, "user_id": "bob", "session_id": "0hYf3kq9Tn2b"},
    "behind": {"type": "behind", "conversation_id": "group_@TOA#_news", "head_seq": 7},
    "watching": {
        "type": "watching",
        "id": 2,
        "conversation_ids": ["group_@TOA#_news", "group_@TOA#_old"],
        "conversations": [
            {
                "conversation_id": "group_@TOA#_news",
                "reactions": [{"seq": 7, "counts": {"👍": 5}, "total": 5, "mine": []}],
                "complete": True,
            },
            {
                "conversation_id": "group_@TOA#_old",
                "error": {"code": "group_not_found", "detail": "No such group", "details": {}},
            },
        ],
    },
    "unwatched": {"type": "unwatched", "id": 3, "conversation_ids": ["group_@TOA#_news"]},
    "renewed": {"type": "renewed", "id": 1, "expires_at": "2026-01-31T13:00:00.000Z"},
    "pong": {"type": "pong", "id": 4},
    "error": {
        "type": "error",
        "id": 2,
        "code": "rate_limited",
        "detail": "Too many frames",
        "details": {},
        "retry_after_seconds": 0.5,
    },
}
_ANSWERS: Final[Mapping[str, Sequence[str]]] = {
    "auth": ("ready", "renewed", "error"),
    "watch": ("watching", "error"),
    "unwatch": ("unwatched", "error"),
    "ping": ("pong", "error"),
}
"""The frames that may answer each frame of a client."""


def document(*, version: str | None = None) -> dict[str, Any]:
    """The document. It takes a tenth of a second to make."""
    frames = {_type_of(model): model for model in (*CLIENT_FRAMES, *SERVER_FRAMES)}
    # An event comes in a frame; each type is a message of its own, so that it has a schema and an example of its own.
    del frames["event"]
    messages = {name: _frame(name, model) for name, model in frames.items()}
    messages |= {name: _event(name) for name in SOCKET_EVENT_TYPES}
    codes = ", ".join(
        f"{code.value} {code.name.lower()} ({'reconnect' if code.should_reconnect else 'final'})"
        for code in CloseCode
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Channel layer",
            "version": version or importlib.metadata.version("channel-layer"),
            "description": _INTRODUCTION + codes + ".",
        },
        "defaultContentType": "application/json",
        "servers": {"tls": _server("wss"), "plain": _server("ws")},
        "channels": {
            "socket": {
                "address": _SOCKET_PATH,
                "title": "The socket",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": dict(_operations(frames)),
        "components": {
            "schemas": _schemas(),
            "messages": messages,
            "securitySchemes": {
                "header": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The token in the header of the request that opens the socket.",
                },
                "frame": {
                    "type": "apiKey",
                    "in": "user",
                    "description": "The token in the first frame, `auth`, where a client cannot send headers.",
                },
            },
        },
    }


def _server(protocol: str) -> dict[str, Any]:
    return {
        "host": "{host}",
        "protocol": protocol,
        "variables": {
            "host": {"default": "localhost:8080", "description": "Where your server runs."}
        },
        "security": [
            {"$ref": "#/components/securitySchemes/header"},
            {"$ref": "#/components/securitySchemes/frame"},
        ],
    }


def _type_of(model: type[BaseModel]) -> str:
    name: str = get_args(model.model_fields["type"].annotation)[0]
    return name


def _schemas() -> dict[str, Any]:
    _, found = models_json_schema(
        [
            *((model, "validation") for model in CLIENT_FRAMES),
            *((model, "serialization") for model in SERVER_FRAMES if model is not EventFrame),
            *((MODEL_OF[name], "serialization") for name in SOCKET_EVENT_TYPES),
        ],
        ref_template=_REF,
    )
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _frame(name: str, model: type[BaseModel]) -> dict[str, Any]:
    example = _CLIENT_EXAMPLES.get(name) or _SERVER_EXAMPLES[name]
    return {
        "name": name,
        "title": name,
        "summary": one_line(model.__doc__ or ""),
        "payload": _ref(model),
        "examples": [{"name": name, "payload": example}],
    }


def _event(name: str) -> dict[str, Any]:
    forms = named_forms(payloads()[name])
    return {
        "name": name,
        "title": name,
        "summary": CATALOGUE[name].when,
        "description": f"Receivers: {CATALOGUE[name].receivers}.",
        "payload": {
            "type": "object",
            "properties": {"type": {"const": "event"}, "event": _ref(MODEL_OF[name])},
            "required": ["type", "event"],
        },
        "examples": [
            {"name": form, "payload": {"type": "event", "event": payload}}
            for form, payload in forms.items()
        ],
    }


def _operations(frames: Mapping[str, type[BaseModel]]) -> Iterable[tuple[str, dict[str, Any]]]:
    for name, answers in _ANSWERS.items():
        yield (
            name,
            {
                "action": "receive",
                "summary": one_line(frames[name].__doc__ or ""),
                "channel": {"$ref": _CHANNEL},
                "messages": _messages([name]),
                "reply": {"channel": {"$ref": _CHANNEL}, "messages": _messages(answers)},
            },
        )
    for name, summary, sent in (
        ("sendEvent", "An event of the user.", SOCKET_EVENT_TYPES),
        ("sendBehind", one_line(frames["behind"].__doc__ or ""), ("behind",)),
    ):
        yield (
            name,
            {
                "action": "send",
                "summary": summary,
                "channel": {"$ref": _CHANNEL},
                "messages": _messages(sent),
            },
        )


def _messages(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"$ref": f"{_CHANNEL}/messages/{name}"} for name in names]
