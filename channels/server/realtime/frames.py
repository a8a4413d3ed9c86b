"""WebSocket frames as the server sends them: text, whole, unmasked, uncompressed (RFC 6455, section 5.2).

Made apart from any connection, so that one event is framed once and the same bytes are written to every socket.
"""

from typing import Final

_TEXT: Final = 0x81  # the last (and only) fragment of a text
_PONG: Final = 0x8A
_SHORT: Final = 125
_MEDIUM: Final = 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """The text as one frame."""
    size = len(payload)
    if size <= _SHORT:
        return bytes((_TEXT, size)) + payload
    if size <= _MEDIUM:
        return bytes((_TEXT, 126)) + size.to_bytes(2) + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping, whose payload it repeats: 125 bytes at most, as of every control frame."""
    return bytes((_PONG, len(payload))) + payload
