"""The composition root: the only place that knows every package, and ties services, hooks, listeners and routes.

`App` serves a database that is already connected; `channels.server.run` connects one and listens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

import channels.service.assembly
import conversations.service.assembly
import groups.service.assembly
import reactions.service.assembly
from channels.limits import Limits
from channels.routes import ChannelRoutes, PostRoutes, SubscriberRoutes
from channels.server.http import SOCKET_PATH, HttpServer
from channels.server.hub import Hub
from channels.server.metrics import Metrics
from channels.server.openapi import document
from channels.server.pages import Pages
from channels.server.rates import UserRates
from channels.server.socket import SocketServer
from channels.server.tokens import TokenVerifier
from channels.service.assembly import CHANNEL_INDEXES, Channels
from channels.service.channels import CreatePolicy
from conversations.routes import ConversationGroupRoutes, ConversationRoutes, UnreadRoutes
from conversations.service.assembly import CONVERSATION_INDEXES, Conversations
from groups.kernel.bus import Bus
from groups.kernel.clock import Clock, SystemClock
from groups.kernel.endpoint import Endpoint, endpoints_of
from groups.kernel.mongo import Database, Index
from groups.routes import GroupRoutes, MemberRoutes, MessageRoutes, UserRoutes
from groups.service.assembly import GROUP_INDEXES, GroupChat
from reactions.routes import ReactionRoutes
from reactions.service import ReactionService
from reactions.service.assembly import REACTION_INDEXES

INDEXES: Final[tuple[Index, ...]] = (
    *GROUP_INDEXES,
    *CONVERSATION_INDEXES,
    *REACTION_INDEXES,
    *CHANNEL_INDEXES,
)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the routes call, on one database; also what the demo scene is made with."""

    database: Database
    bus: Bus
    limits: Limits
    clock: Clock
    chat: GroupChat
    conversations: Conversations
    reactions: ReactionService
    channels: Channels
    metrics: Metrics

    async def start(self) -> None:
        """Make the indexes, hear the events, go on with what was left undone."""
        await self.database.ensure_indexes(INDEXES)
        await self.bus.start()
        await self.chat.clearing.resume()

    async def stop(self) -> None:
        """Finish what was submitted; everything submitted later is refused by whoever stopped us."""
        await self.channels.channels.close()
        await self.chat.close()
        await self.conversations.close()
        await self.reactions.close()
        await self.bus.stop()


def create_services(
    database: Database,
    limits: Limits,
    *,
    clock: Clock | None = None,
    create_policy: CreatePolicy = "anyone",
) -> Services:
    """The services of a deployment, not started."""
    clock = clock or SystemClock()
    metrics = Metrics()
    bus = Bus(database)
    chat = groups.service.assembly.assemble(database, limits, clock, on_batch=metrics.batch)
    talks = conversations.service.assembly.assemble(
        database, chat.memberships, limits, clock, on_batch=metrics.batch
    )
    chat.hooks.members_left.append(talks.hooks.members_left)
    chat.hooks.messages_posted.append(talks.hooks.messages_posted)
    emoji = reactions.service.assembly.assemble(database, chat, clock, on_batch=metrics.batch)
    official = channels.service.assembly.assemble(
        database, chat, emoji, bus, limits, clock, create_policy, on_batch=metrics.batch
    )
    return Services(database, bus, limits, clock, chat, talks, emoji, official, metrics)


def endpoints_for(services: Services) -> list[Endpoint]:
    """Every call of the API."""
    chat, official, talks = services.chat, services.channels, services.conversations
    routes: Sequence[object] = (
        ChannelRoutes(official.channels),
        SubscriberRoutes(official.subscribers, official.channels, chat.users),
        PostRoutes(official.posts, chat.users),
        GroupRoutes(chat.groups, services.limits),
        MemberRoutes(chat.groups, chat.membership, chat.users, services.limits),
        MessageRoutes(chat.messages, services.reactions),
        ReactionRoutes(services.reactions, chat.users),
        ConversationRoutes(talks.inbox, talks.cursors, talks.settings),
        ConversationGroupRoutes(talks.conversation_groups, talks.inbox),
        UnreadRoutes(talks.inbox, talks.cursors),
        UserRoutes(chat.users),
    )
    return [endpoint for part in routes for endpoint in endpoints_of(part)]


class App(web.BaseRunner):
    """The server around the services: started with them, reached at the sites it is given, stopped with them.

    aiohttp's low-level server with a router of our own: its `web.Application` would add a third to the cost of a call.
    """

    def __init__(self, services: Services, secret: str, *, shutdown_timeout: float = 5.0) -> None:
        super().__init__(shutdown_timeout=shutdown_timeout)
        limits, metrics = services.limits, services.metrics
        verifier = TokenVerifier(secret, clock=services.clock)
        http = HttpServer(verifier, limits, UserRates(limits.requests_per_second), metrics)
        self.services = services
        self.router = http.router
        self.hub = Hub(metrics)
        services.bus.listen(self.hub.on_events)
        services.bus.on_resync(self.hub.resync)
        self._http = http
        self._socket = SocketServer(
            self.hub,
            verifier,
            services.clock,
            metrics,
            group_ids_of=services.chat.membership.list_group_ids,
            may_watch=services.chat.access.reading,
        )
        endpoints = endpoints_for(services)
        self._pages = Pages(services.database, services.bus, metrics, document(endpoints))
        http.mount(endpoints)
        http.router.add("GET", SOCKET_PATH, self._socket.handle)
        self._pages.mount(http.router)

    async def _make_server(self) -> web.Server:
        await self.services.start()
        return web.Server(
            self._http.serve,
            request_factory=self._http.request,
            access_log=None,
            # The largest header is a 4 KiB token; a long line is refused by the types, which can say why.
            max_line_size=65_536,
            max_field_size=16_384,
        )

    async def shutdown(self) -> None:
        """Not ready first, so that a balancer sends no more; then the sockets, told to come back elsewhere."""
        self._pages.is_stopping = True
        await self._socket.close_all()

    async def _cleanup_server(self) -> None:
        if (
            self.server is not None
        ):  # else the start failed half-way, and stopped what it had started
            await self.services.stop()
