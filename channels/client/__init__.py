"""The Python client: typed calls, a socket that stays complete, webhooks and tokens.

    async with Client("http://127.0.0.1:8080", token=token) as client:
        await client.posts.publish("news", text="Hello")
        async for channel in client.channels.directory():
            print(channel.name)

Promises: a request is repeated only where a repetition changes nothing, and for a bounded time; a socket yields
every message, edit and deletion once and in order, through lost connections and restarts of the server; new fields
and types of a newer server break nothing.

Depends on aiohttp, pydantic, PyJWT and standardwebhooks, and on nothing else of ours: an app that uses it loads neither
the server nor a database driver.
"""

from channels.client.client import Client
from channels.client.errors import (
    ApiError,
    BadAnswer,
    BadSignature,
    ChannelsError,
    Conflict,
    Expired,
    InvalidInput,
    NoAnswer,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    SocketClosed,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from channels.client.events import Event, Resynced, SocketEvent, UnknownEvent, parse_event
from channels.client.position import Position
from channels.client.retries import Retries
from channels.client.socket import Socket
from channels.client.tokens import mint_token
from channels.client.transport import path_of
from channels.client.webhooks import verify_webhook

__all__ = [
    "ApiError",
    "BadAnswer",
    "BadSignature",
    "ChannelsError",
    "Client",
    "Conflict",
    "Event",
    "Expired",
    "InvalidInput",
    "NoAnswer",
    "NotFound",
    "PermissionDenied",
    "Position",
    "RateLimited",
    "Resynced",
    "Retries",
    "ServerError",
    "Socket",
    "SocketClosed",
    "SocketEvent",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnknownEvent",
    "UnsupportedMedia",
    "mint_token",
    "parse_event",
    "path_of",
    "verify_webhook",
]
