"""WebSocket frames that the server sends: whole, unmasked, uncompressed (RFC 6455, section 5.2).

They belong to no connection, so an event is framed once and the same bytes are written to every socket.
"""

from typing import Final

_TEXT: Final = 0x81  # the last (and only) fragment of a text
_PONG: Final = 0x8A
_SHORT: Final = 125
_MEDIUM: Final = 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """A text frame."""
    size = len(payload)
    if size <= _SHORT:
        return bytes((_TEXT, size)) + payload
    if size <= _MEDIUM:
        return bytes((_TEXT, 126)) + size.to_bytes(2) + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping. It repeats the ping's payload, at most 125 bytes."""
    return bytes((_PONG, len(payload))) + payload
