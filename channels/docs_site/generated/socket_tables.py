"""The tables of frames and close codes of the socket."""

from collections.abc import Iterator, Sequence
from typing import Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from channels.docs_site.generated.tables import docstring_of, one_line, table
from channels.server.realtime.client_frames import CLIENT_FRAMES, FRAME_BYTES
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.server_frames import SERVER_FRAMES

_OF_THE_PROTOCOL: Final = (
    (1002, "You broke the protocol, for example with a frame without a mask. Mend the client."),
    (1009, f"You sent a frame of more than {FRAME_BYTES // 1024} KiB. Mend the client."),
)
"""Close codes of the WebSocket protocol itself."""
_KINDS: Final = {str: "text", int: "integer", float: "number", dict: "object"}


def client_frames() -> str:
    """The frames that a client sends."""
    return _frames(CLIENT_FRAMES)


def server_frames() -> str:
    """The frames that the server sends."""
    return _frames(SERVER_FRAMES)


def _frames(models: Sequence[type[BaseModel]]) -> str:
    return table(
        ["`type`", "Meaning", "Fields"],
        [[_types_of(model), docstring_of(model), " ".join(_fields_of(model))] for model in models],
    )


def _types_of(model: type[BaseModel]) -> str:
    names = get_args(model.model_fields["type"].annotation)
    return ", ".join(f"`{name}`" for name in names)


def _fields_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name != "type":
            yield f"`{name}` ({kind_of(field)}): {one_line(field.description or '')}"


def kind_of(field: FieldInfo) -> str:
    """The JSON type of a field in words."""
    annotation = field.annotation
    kinds = get_args(annotation) or (annotation,)
    if get_origin(annotation) in (dict, list, tuple):
        kinds = (get_origin(annotation),)
    words = [_KINDS.get(kind, "") for kind in kinds if kind is not type(None)]
    return " or ".join([*filter(None, words), *(["null"] if _is_shown_as_null(field) else [])])


def _is_shown_as_null(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation) and field.is_required()


def close_codes() -> str:
    """Why the server closes a socket, and whether the client comes back."""
    rows = [
        [f"`{code.value}`", f"`{code.name.lower()}`", _answer_of(code), code.meaning]
        for code in CloseCode
    ]
    rows += [[f"`{code}`", "", "no", meaning] for code, meaning in _OF_THE_PROTOCOL]
    return table(["Code", "Name", "Reconnect", "Meaning"], sorted(rows))


def _answer_of(code: CloseCode) -> str:
    return "yes" if code.should_reconnect else "no"
