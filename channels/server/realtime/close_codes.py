"""Why the server closes a socket, and whether the client should reconnect."""

from enum import IntEnum
from typing import Final, Self

CLOSE_SECONDS: Final = 2.0  # how long a client may take to read its close frame


class CloseCode(IntEnum):
    """Close codes of the socket: 1001 and 40xx mean reconnect, 45xx do not before something has changed."""

    meaning: str
    """Why the server closes the socket, and what the client does, for the guide."""

    def __new__(cls, value: int, meaning: str) -> Self:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    GOING_AWAY = 1001, "The server stops. Reconnect: another process answers."
    AUTH_TIMEOUT = 4000, "No `auth` frame came within 10 seconds. Reconnect."
    TOKEN_EXPIRED = 4001, "The token expired. Reconnect with a new one."
    SLOW = 4002, "You read too slowly and missed events. Reconnect, and read what you missed."
    RESYNC = 4003, "The server itself missed events. Reconnect, and read what you missed."
    FLOOD = 4004, "You went on sending too many frames after an error. Reconnect, and send fewer."
    UNAVAILABLE = (
        4005,
        "The token cannot be checked now. Reconnect after the `retry_after_seconds` of the error.",
    )
    BAD_TOKEN = (
        4500,
        "The token is not valid, or was revoked. Get another one before you reconnect.",
    )
    BAD_FRAME = 4501, "You sent a frame that is not text. Mend the client before you reconnect."
    REPLACED = (
        4502,
        "The user opened more sockets than allowed, and this was the oldest. Do not reconnect by yourself.",
    )

    @property
    def should_reconnect(self) -> bool:
        return self < CloseCode.BAD_TOKEN
