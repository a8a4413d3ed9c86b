"""The client: one user, or one back end, at one server.

async with Client("https://channels.example", token=token) as client:
    post = await client.posts.publish("news", text="Hello")
    async with client.connect() as socket:
        async for event in socket:
            ...
"""

import json
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from channels.client.position import Position
from channels.client.resources.back_end import Devices, Events, Webhooks
from channels.client.resources.broadcasts import Broadcasts
from channels.client.resources.channels import Channels
from channels.client.resources.comments import Comments
from channels.client.resources.conversations import Conversations, Inbox
from channels.client.resources.groups import Groups
from channels.client.resources.invite_links import InviteLinks
from channels.client.resources.media import Uploads, Users
from channels.client.resources.moderation import Moderation
from channels.client.resources.posts import Posts
from channels.client.resources.self_service import SelfService
from channels.client.resources.subscriber_tags import TagsOfSubscribers
from channels.client.retries import Retries
from channels.client.socket import Socket
from channels.client.tokens import TokenProvider, Tokens
from channels.client.transport import Query, Transport, new_session

TIMEOUT_SECONDS: Final = 30.0
REPLAY: Final = 1_000


class Client:
    """Calls the API as the user of its token. Use it as a context manager, from one event loop.

    `token_provider` returns a token, at once or awaited. It is called for the first token unless `token` is given,
    before a token expires, and once when the server refuses one. `timeout_seconds` bounds each attempt, `retries`
    all of them. `http` is an aiohttp session of your own, which the client does not close.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        token_provider: TokenProvider | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        http: aiohttp.ClientSession | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._tokens = Tokens(token, token_provider)
        self._timeout_seconds = timeout_seconds
        self._retries = retries or Retries()
        self._given_http = http
        self._own_http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        http = self._given_http
        if http is None:
            http = self._own_http = new_session()
        self._transport = transport = Transport(
            self._base_url,
            self._tokens,
            http,
            retries=self._retries,
            timeout_seconds=self._timeout_seconds,
        )
        self.channels = Channels(transport)
        self.posts = Posts(transport)
        self.comments = Comments(transport)
        self.conversations = Conversations(transport)
        self.inbox = Inbox(transport)
        self.groups = Groups(transport)
        self.invite_links = InviteLinks(transport)
        self.media = Uploads(transport)
        self.users = Users(transport)
        self.self_service = SelfService(transport)
        self.subscriber_tags = TagsOfSubscribers(transport)
        self.broadcasts = Broadcasts(transport)
        self.moderation = Moderation(transport)
        self.events = Events(transport)
        self.webhooks = Webhooks(transport)
        self.devices = Devices(transport)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._own_http is not None:
            await self._own_http.close()

    def connect(self, *, position: Position | None = None, replay: int = REPLAY) -> Socket:
        """The events of all conversations of the user, live. Use it as a context manager.

        It begins now, or after the `position` of an earlier socket. `replay`: when more messages of one conversation
        were missed, they are not read, and a `Resynced` says so.
        """
        return Socket(self._transport, self.conversations, position=position, replay=replay)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        is_repeatable: bool = True,
    ) -> Any:
        """Any other call: `await client.request("GET", "/v1/blocks")`. Returns the JSON of the answer, or None.

        Encode ids in the path: `path_of("channels", channel_id, "drafts")`. A POST that must not happen twice and takes
        no `Idempotency-Key` is sent with `is_repeatable=False`.
        """
        answered = await self._transport.send(
            method,
            path,
            query=query,
            body=body,
            idempotency_key=idempotency_key,
            is_repeatable=is_repeatable,
        )
        return json.loads(answered.body) if answered.body else None
