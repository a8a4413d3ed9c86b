"""Why the server closes a socket, and whether the client should reconnect."""

from enum import IntEnum
from typing import Final

CLOSE_SECONDS: Final = 2.0  # how long a client may take to read its close frame


class CloseCode(IntEnum):
    """Close codes of the socket: 1001 and 40xx mean reconnect, 45xx do not before something has changed."""

    GOING_AWAY = 1001
    """The server stops; reconnect, another process answers."""
    AUTH_TIMEOUT = 4000
    """No `auth` frame came in time; reconnect."""
    TOKEN_EXPIRED = 4001
    """The token expired; reconnect with a new one."""
    SLOW = 4002
    """The client read too slowly and missed events; reconnect and repair by seq."""
    RESYNC = 4003
    """The server itself missed events; reconnect and repair by seq."""
    FLOOD = 4004
    """The client sent too many frames; reconnect, and send fewer."""
    BAD_TOKEN = 4500
    """The token is not valid; do not reconnect with it."""
    BAD_FRAME = 4501
    """The client sent a frame that is not text; fix the client before reconnecting. A frame too large ends in 1009."""
    REPLACED = 4502
    """The user opened more sockets than allowed, and this was the oldest; do not reconnect automatically."""

    @property
    def should_reconnect(self) -> bool:
        return self < CloseCode.BAD_TOKEN
