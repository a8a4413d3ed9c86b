"""The composition root: the only place that knows every package, and ties services, hooks, listeners and routes.

`App` serves a database that is already connected; `channels.server.run` connects one and listens.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import IPvAnyNetwork

import channels.analytics.wiring
import channels.drafts.wiring
import channels.wiring
import conversations.wiring
import groups.wiring
import reactions.wiring
from channels.analytics.routes import InsightRoutes, ViewRoutes
from channels.analytics.wiring import REACH_INDEXES, Analytics
from channels.drafts.routes import DraftRoutes
from channels.limits import Limits
from channels.routes.admins import RunningRoutes
from channels.routes.channels import ChannelRoutes
from channels.routes.dialogue_reactions import DialogueReactionRoutes
from channels.routes.dialogues import DialogueRoutes
from channels.routes.inbox import InboxRoutes
from channels.routes.invitations import InvitationRoutes
from channels.routes.posts import PostRoutes
from channels.routes.subscribers import SubscriberRoutes
from channels.server.auth import Authenticator
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.load_shedding import LoadShedder
from channels.server.limits.rate_limit import UserRates
from channels.server.limits.rate_sharing import RateSharing
from channels.server.limits.unsent_bytes import UnsentBytes
from channels.server.metrics import Metrics
from channels.server.migrations import steps
from channels.server.realtime.hub import Hub
from channels.server.realtime.inbox_unread import InboxBadges
from channels.server.realtime.socket import SocketServer
from channels.server.tokens import TokenVerifier
from channels.server.web.cors import CorsPolicy
from channels.server.web.handlers import EndpointHandlers
from channels.server.web.not_found_delay import ABSENT_SECONDS, NotFoundDelay
from channels.server.web.openapi import document
from channels.server.web.operations import PROBE_SECONDS, OperationsPages
from channels.server.web.protocol import ConnectionLimits, Listener
from channels.server.web.public_pages import PublicChannelPages, PublicPages
from channels.server.web.server import SOCKET_PATH, HttpServer
from channels.server.web.static import WebApp
from channels.service.channels import CreatePolicy
from channels.wiring import CHANNEL_INDEXES, Channels
from conversations.routes.blocks import BlockRoutes
from conversations.routes.conversation_groups import ConversationGroupRoutes
from conversations.routes.conversations import ConversationRoutes
from conversations.routes.unread import UnreadRoutes
from conversations.wiring import CONVERSATION_INDEXES, Conversations
from groups.kernel.clock import Clock
from groups.kernel.endpoint import Endpoint, endpoints_of
from groups.kernel.event_bus import EventBus
from groups.kernel.mongo import Database, Index, ensure_indexes
from groups.kernel.mongo.schema import Schema
from groups.kernel.mongo.timekeeping import Timekeeping
from groups.routes.groups import GroupRoutes
from groups.routes.media import MediaRoutes
from groups.routes.members import MemberRoutes
from groups.routes.messages import MessageRoutes
from groups.routes.users import UserRoutes
from groups.service.hooks import Hooks
from groups.wiring import GROUP_INDEXES, GroupChat
from reactions.routes import ReactionRoutes
from reactions.service.reactions import ReactionService
from reactions.wiring import REACTION_INDEXES

INDEXES: Final[tuple[Index, ...]] = (
    *GROUP_INDEXES,
    *CONVERSATION_INDEXES,
    *REACTION_INDEXES,
    *CHANNEL_INDEXES,
    *REACH_INDEXES,
)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the routes call, on one database; also what the demo scene is made with."""

    database: Database
    bus: EventBus
    limits: Limits
    clock: Clock
    chat: GroupChat
    conversations: Conversations
    reactions: ReactionService
    channels: Channels
    reach: Analytics
    metrics: Metrics
    timekeeping: Timekeeping

    async def start(self) -> None:
        """Make the indexes, bring an older database to this version, hear the events, go on with what was left undone.

        Raises: StoredByNewer; Unavailable.
        """
        schema, to_take = Schema(self.database), steps(self.database, self.chat, self.channels)
        await schema.begin(to_take[-1].version)
        await ensure_indexes(self.database, INDEXES)
        await schema.reach(to_take)
        await self.bus.start()
        # Once events are heard, or what is revoked in between would be missed.
        await self.chat.revocations.load()
        await self.chat.cleanup.resume()
        self.timekeeping.start()
        self.chat.media.start()
        self.channels.drafting.scheduler.start()
        self.reach.folding.start()

    async def stop(self) -> None:
        """Finish what was submitted; everything submitted later is refused by whoever stopped us."""
        await self.timekeeping.stop()
        await self.channels.drafting.scheduler.stop()
        await self.channels.channels.close()
        await self.reach.close()
        await self.chat.close()
        await self.conversations.close()
        await self.channels.dialogue_reactions.close()
        await self.reactions.close()
        await self.bus.stop()


def create_services(
    database: Database,
    limits: Limits,
    *,
    clock: Clock | None = None,
    create_policy: CreatePolicy = "anyone",
    disks: Sequence[Path] = (),
) -> Services:
    """The services of a deployment, not started.

    They go by the database's clock where none is given. Uploads do not fill up the disks of these places.
    """
    clock = clock or database.clock
    metrics = Metrics()
    metrics.clock_offset.set_function(lambda: database.clock.machine_ahead_seconds)
    bus = EventBus(database)
    group_core = groups.wiring.build_core(
        database, limits, clock, on_batch=metrics.batch, disks=disks
    )
    ledger = reactions.wiring.build_ledger(database)
    analytics_core = channels.analytics.wiring.build_core(database, limits)
    draft_cleanup = channels.drafts.wiring.build_cleanup(database, group_core.draft_content)
    channel_core = channels.wiring.build_core(group_core, limits)
    conversation_core = conversations.wiring.build_core(
        group_core,
        limits,
        channel_core.inbox_rules,
        muted=[analytics_core.counter.muted],
        delete_of_stream=[ledger.delete_some],
    )
    threads = conversation_core.threads
    hooks = Hooks(
        members_left=[conversation_core.hooks.members_left],
        messages_posted=[conversation_core.hooks.messages_posted],
        members_counted=[analytics_core.counter.members_counted],
        messages_counted=[analytics_core.counter.messages_counted],
        disbanded=[threads.on_disbanded, channel_core.end.on_disbanded],
        stream_ended=[threads.on_stream_ended],
        delete_of_stream=[
            ledger.delete_some,
            draft_cleanup.delete_some,
            analytics_core.cleanup.delete_views,
            analytics_core.cleanup.delete_days,
        ],
        signatures=channel_core.post_settings.signatures,
        may_forward=channel_core.post_settings.may_forward,
        private_source=conversation_core.forward_sources.find,
        profile=channel_core.store.lookup_profile,
        tallies=ledger,
    )
    chat = groups.wiring.assemble(group_core, hooks)
    bus.listen(chat.revocations.on_events)
    bus.on_resync(chat.revocations.reload)
    talks = conversations.wiring.assemble(
        database, conversation_core, chat, limits, limits, clock, on_batch=metrics.batch
    )
    emoji = reactions.wiring.assemble(
        database,
        chat,
        ledger,
        clock,
        reacted=[analytics_core.counter.reacted],
        on_batch=metrics.batch,
    )
    official = channels.wiring.assemble(
        database,
        channel_core,
        chat,
        talks,
        emoji,
        bus,
        limits,
        clock,
        create_policy,
        on_batch=metrics.batch,
    )
    reach = channels.analytics.wiring.assemble(
        database, analytics_core, chat, official.extras, limits, clock, on_batch=metrics.batch
    )
    return Services(
        *(database, bus, limits, clock, chat, talks, emoji, official, reach, metrics),
        timekeeping=Timekeeping(database),
    )


def endpoints_for(services: Services) -> list[Endpoint]:
    """Every call of the API."""
    chat, official, talks = services.chat, services.channels, services.conversations
    routes: Sequence[object] = (
        ChannelRoutes(official.channels, official.subscriptions, official.verification),
        SubscriberRoutes(official.subscribers, official.channels, chat.users),
        RunningRoutes(official.running, official.subscribers, chat.users),
        InvitationRoutes(official.running),
        PostRoutes(official.posts, chat.users),
        DraftRoutes(official.drafting.drafts, official.drafting.publishing),
        ViewRoutes(services.reach.views),
        InsightRoutes(services.reach.insights),
        GroupRoutes(
            groups=chat.groups,
            creation=chat.creation,
            updates=chat.updates,
            disbanding=chat.disbanding,
            limits=services.limits,
        ),
        MemberRoutes(
            groups=chat.groups,
            membership=chat.membership,
            users=chat.users,
            limits=services.limits,
        ),
        MessageRoutes(
            chat.messages,
            chat.edits,
            chat.forwards,
            services.reactions.ledger,
            chat.users,
        ),
        ReactionRoutes(services.reactions, chat.users),
        ConversationRoutes(talks.inbox, talks.cursors, talks.settings),
        ConversationGroupRoutes(talks.conversation_groups, talks.inbox),
        UnreadRoutes(talks.inbox, talks.cursors),
        DialogueRoutes(
            talks.dialogues, talks.changes, official.timeline, official.dialogue_reactions
        ),
        DialogueReactionRoutes(official.dialogue_reactions, talks.dialogues, official.inbox),
        BlockRoutes(talks.blocks),
        InboxRoutes(official.inbox, chat.users),
        MediaRoutes(chat.media),
        UserRoutes(users=chat.users, revocations=chat.revocations),
    )
    return [endpoint for part in routes for endpoint in endpoints_of(part)]


class App(web.BaseRunner):
    """The server around the services: started with them, reached at the sites it is given, stopped with them.

    aiohttp's low-level server with a router of our own: its `web.Application` would add a third to the cost of a call.
    """

    def __init__(
        self,
        services: Services,
        secret: str,
        *,
        previous_secret: str | None = None,
        allowed_origins: Sequence[str] = (),
        shutdown_timeout: float = 5.0,
        trusted_proxies: Sequence[IPvAnyNetwork] = (),
        public_pages: PublicPages = "noindex",
        public_url: str | None = None,
        metrics_token: str | None = None,
        absent_seconds: float = ABSENT_SECONDS,
        connections: int | None = None,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        """`connections` is how many the process may hold; None: any number."""
        super().__init__(shutdown_timeout=shutdown_timeout)
        limits, metrics = services.limits, services.metrics
        verifier = TokenVerifier(
            secret,
            previous=previous_secret,
            revoked_at=services.chat.revocations.revoked_at,
            clock=services.clock,
        )
        visitors = AddressLimits(
            limits.address_requests_per_second,
            limits.address_sockets,
            limits.address_transfers,
            trusted_proxies=trusted_proxies,
        )
        callers = Authenticator(verifier, visitors)
        origins = CorsPolicy(allowed_origins)
        rates = UserRates(limits.requests_per_second)
        veil = NotFoundDelay(absent_seconds)
        admission = LoadShedder(limits.concurrent_requests, limits.waiting_milliseconds / 1000)
        self.admission = admission
        metrics.places.set_function(lambda: admission.places)
        metrics.at_work.set_function(lambda: admission.at_work)
        pictures = services.chat.media.pictures
        metrics.picture_worker_deaths.set_function(lambda: pictures.deaths)
        http = HttpServer(limits, metrics, origins, admission, visitors)
        self._unsent = UnsentBytes(
            limits.unsent_bytes_per_user,
            limits.address_unsent_bytes,
            on_cut=metrics.slow_readers.inc,
        )
        metrics.unsent_bytes.set_function(lambda: self._unsent.total)
        self._connections = ConnectionLimits(
            visitors, limits.address_connections, http.serve_crowded, capacity=connections
        )
        self.services = services
        self.router = http.router
        self.hub = Hub(metrics, limits.sockets_per_user, services.clock)
        services.bus.listen(self.hub.on_events)
        self._badges = InboxBadges(self.hub, services.conversations.threads.unread)
        services.bus.listen(self._badges.on_events)
        services.bus.on_resync(self.hub.resync)
        self._http = http
        self._socket = SocketServer(
            self.hub,
            callers,
            visitors,
            rates,
            services.clock,
            metrics,
            origins,
            veil,
            group_ids_of=services.chat.membership.list_group_ids,
            may_watch=services.chat.guard.read_access_of,
        )
        endpoints = endpoints_for(services)
        describe = partial(document, endpoints)
        self._pages = OperationsPages(
            services.database,
            services.bus,
            metrics,
            visitors,
            describe,
            metrics_token=metrics_token,
            probe_seconds=probe_seconds,
        )
        self.sharing = RateSharing(
            services.database,
            services.clock,
            [each for each in (rates.buckets, visitors.buckets) if each is not None],
        )
        services.bus.listen(self.sharing.on_events)
        calls = self.calls = EndpointHandlers(callers, visitors, rates, limits, admission, veil)
        locks = services.database.locks
        metrics.waiting_for_own.set_function(
            lambda: calls.user_turns.waiting + calls.back_end_turns.waiting
        )
        metrics.waiting_for_document.set_function(lambda: locks.waiting)
        http.mount(endpoints, calls)
        http.router.add("GET", SOCKET_PATH, self._socket.handle, is_counted=False)
        self._pages.mount(http.router)
        WebApp(limits, has_public_pages=public_pages != "off").mount(http.router)
        public = PublicChannelPages(
            services.channels, public_pages, visitors, veil, public_url=public_url
        )
        public.mount(http.router)

    async def _make_server(self) -> web.Server:
        await self.services.start()
        loop = asyncio.get_running_loop()
        self.services.metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
        self.sharing.start()
        return Listener(
            self._http.serve,
            self._connections,
            self._unsent,
            request_factory=self._http.request,
            access_log=None,
            # Encoded bodies are refused (`transfers.refuse_encoded`), so none is ever inflated.
            auto_decompress=False,
            # Idle ones: longer than balancers keep theirs, so that they end them.
            keepalive_timeout=630,
            # The largest header is a 4 KiB token; a long line is refused by the types, which can say why.
            max_line_size=65_536,
            max_field_size=16_384,
        )

    async def shutdown(self) -> None:
        """Not ready first, so that a balancer sends no more; then the sockets, told to come back elsewhere."""
        self._pages.is_stopping = True
        await self._socket.close_all()
        await self._badges.close()
        await self.sharing.stop()

    async def _cleanup_server(self) -> None:
        if (
            self.server is not None
        ):  # else the start failed half-way, and stopped what it had started
            await self.services.stop()
