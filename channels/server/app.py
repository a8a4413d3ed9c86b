"""The composition root: the only module that knows every package. It connects services, hooks, listeners and routes.

`App` serves a database that is already connected; `channels.server.run` connects one and listens.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import IPvAnyNetwork

import channels.acknowledgements.wiring as acknowledgement_wiring
import channels.analytics.wiring as analytics_wiring
import channels.broadcasts.wiring as broadcast_wiring
import channels.buttons.wiring as button_wiring
import channels.canned_replies.wiring as canned_reply_wiring
import channels.comments.wiring as comment_wiring
import channels.default_channels.wiring as default_wiring
import channels.drafts.wiring as draft_wiring
import channels.link_clicks.wiring as click_wiring
import channels.post_reports.wiring as report_wiring
import channels.push.delivery.wiring as delivery_wiring
import channels.push.wiring as push_wiring
import channels.reports.wiring as abuse_wiring
import channels.self_service.automatic_messages.wiring as automatic_wiring
import channels.self_service.forms.wiring as form_wiring
import channels.self_service.menus.wiring as menu_wiring
import channels.subscriber_tags.wiring as tag_wiring
import channels.user_data.wiring as user_data_wiring
import channels.webhooks.wiring as webhook_wiring
import channels.wiring as channel_wiring
import conversations.wiring as conversation_wiring
import groups.wiring as group_wiring
import reactions.wiring as reaction_wiring
from channels.acknowledgements.routes import (
    AcknowledgementCalls,
    AcknowledgementRoutes,
    ChannelAcknowledgementRoutes,
)
from channels.acknowledgements.service import publish_acknowledgement_withdrawn
from channels.acknowledgements.wiring import Acknowledgements
from channels.analytics.routes import InsightRoutes, ViewRoutes
from channels.analytics.wiring import ANALYTICS_INDEXES, Analytics
from channels.before_post.service import BeforePost, review_client
from channels.broadcasts.routes.broadcasts import BroadcastRoutes, OptOutRoutes
from channels.broadcasts.wiring import BROADCAST_INDEXES, Broadcasts
from channels.buttons.routes import ButtonRoutes
from channels.buttons.service.posts import publish_presses_withdrawn
from channels.buttons.wiring import Buttons
from channels.canned_replies.routes import CannedReplyRoutes
from channels.comments.models import place_of
from channels.comments.routes.comments import CommentRoutes
from channels.comments.wiring import COMMENT_INDEXES, Comments
from channels.console.shell import Deployment
from channels.default_channels.routes import DefaultChannelRoutes
from channels.default_channels.wiring import DEFAULT_CHANNEL_INDEXES, DefaultSubscribing
from channels.drafts.routes import DraftRoutes
from channels.events import RatesSpent
from channels.feed.routes import FeedRoutes
from channels.feed.service import FeedService
from channels.feed.wiring import build_feed
from channels.limits import Limits, limits_of_clients
from channels.link_clicks.routes import ClickRoutes
from channels.link_clicks.service import ClickService
from channels.link_clicks.wiring import CLICK_INDEXES
from channels.link_previews.routes import LinkPreviewRoutes
from channels.link_previews.service import LinkPreviewService, http_of_pages, http_of_pictures
from channels.outbound.client import OutboundClient
from channels.post_reports.routes import ReportRoutes
from channels.post_reports.wiring import REPORT_INDEXES, Reports
from channels.push.delivery.wiring import DELIVERY_INDEXES, PushDelivery
from channels.push.routes import DeviceRoutes
from channels.push.wiring import PUSH_INDEXES, Push
from channels.reading_feed.routes import ReadingFeedRoutes
from channels.reading_feed.service import ReadingFeedService
from channels.reports.routes import AbuseReportRoutes, ModerationRoutes
from channels.reports.wiring import ABUSE_REPORT_INDEXES, AbuseReports
from channels.routes.admins import AdminRoutes
from channels.routes.channels import ChannelRoutes
from channels.routes.dialogue_reactions import DialogueReactionRoutes
from channels.routes.dialogues import DialogueRoutes
from channels.routes.inbox import InboxRoutes
from channels.routes.invite_links import ChannelInviteLinkRoutes, ChannelJoinRequestRoutes
from channels.routes.invited import InvitedRoutes
from channels.routes.polls import ChannelPollRoutes
from channels.routes.posts import PostRoutes
from channels.routes.subscribers import SubscriberRoutes
from channels.routes.sync import SyncRoutes
from channels.search.routes import SearchRoutes
from channels.search.service import SearchService
from channels.self_service.automatic_messages.routes import AutomaticMessageRoutes
from channels.self_service.automatic_messages.wiring import (
    AUTOMATIC_MESSAGE_INDEXES,
    AutomaticMessages,
)
from channels.self_service.forms.routes import FormRoutes
from channels.self_service.forms.service import FormService
from channels.self_service.forms.wiring import FORM_INDEXES
from channels.self_service.menus.routes import MenuRoutes
from channels.self_service.menus.service import MenuService
from channels.self_service.menus.wiring import MENU_INDEXES
from channels.server.auth import Authenticator
from channels.server.identity.keys import ProviderKeys, load_file, load_url
from channels.server.identity.options import ProviderOptions
from channels.server.identity.provider import IdentityProvider
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.load_shedding import LoadShedder
from channels.server.limits.rate_limit import UserRates
from channels.server.limits.rate_sharing import RateSharing
from channels.server.limits.unsent_bytes import UnsentBytes
from channels.server.metrics import Metrics
from channels.server.migrations import migrations
from channels.server.options import ServiceOptions
from channels.server.realtime.hub import NEEDED_BY_HUBS, Hub
from channels.server.realtime.inbox_unread import InboxUnreadFeed
from channels.server.realtime.reminders import ReminderFeed
from channels.server.realtime.socket import SocketServer
from channels.server.realtime.unread import UnreadFeed
from channels.server.realtime.watching import Watching
from channels.server.tokens import TokenVerifier
from channels.server.web import asyncapi
from channels.server.web.cors import CorsPolicy
from channels.server.web.handlers import EndpointHandlers
from channels.server.web.not_found_delay import NOT_FOUND_SECONDS, NotFoundDelay
from channels.server.web.openapi import document
from channels.server.web.operations import PROBE_SECONDS, OperationsPages
from channels.server.web.pages.demo import DemoPages
from channels.server.web.pages.docs import DocsPages
from channels.server.web.pages.invites import InvitePages
from channels.server.web.pages.links import LinkPages
from channels.server.web.pages.public import PublicChannelPages, PublicPages
from channels.server.web.pages.sdk import SdkFiles
from channels.server.web.pages.static import WebApp
from channels.server.web.protocol import ConnectionLimits, Listener, Serve
from channels.server.web.router import Router
from channels.server.web.server import SOCKET_PATH, HttpServer
from channels.share_links.invites import invite_addresses
from channels.share_links.routes import ShareRoutes
from channels.share_links.service import ShareService
from channels.subscriber_tags.routes.tags import SubscriberTagRoutes
from channels.subscriber_tags.wiring import SUBSCRIBER_TAG_INDEXES, SubscriberTagging
from channels.user_data.routes import UserDataRoutes
from channels.user_data.wiring import USER_DATA_INDEXES, UserData
from channels.webhooks.routes.app import AppWebhookRoutes
from channels.webhooks.routes.channels import ChannelWebhookRoutes
from channels.webhooks.wiring import WEBHOOK_INDEXES, Webhooks
from channels.wiring import CHANNEL_INDEXES, Channels
from conversations.routes.blocks import BlockRoutes
from conversations.routes.conversation_groups import ConversationGroupRoutes
from conversations.routes.conversations import ConversationRoutes
from conversations.routes.rendering import ConversationRendering
from conversations.wiring import CONVERSATION_INDEXES, Conversations
from groups.events import AccountKindChanged, TokensRevoked
from groups.kernel.actor import Actor
from groups.kernel.background import PeriodicTask
from groups.kernel.clock import CLOCK_SYNC_SECONDS, Clock
from groups.kernel.endpoint import Endpoint, endpoints_of
from groups.kernel.event_bus import EventBus
from groups.kernel.event_log.log import EventLog
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Index, ensure_indexes
from groups.kernel.mongo.schema import Schema
from groups.routes.groups import GroupRoutes
from groups.routes.invitations import InvitationRoutes
from groups.routes.invite_links import InviteLinkCalls, InviteLinkRoutes
from groups.routes.join_requests import JoinRequestCalls, JoinRequestRoutes
from groups.routes.media import MediaRoutes
from groups.routes.members import MemberRoutes
from groups.routes.messages import MessageRoutes
from groups.routes.users import UserRoutes
from groups.service.hooks import Hooks
from groups.wiring import GROUP_INDEXES, GroupChat
from reactions.polls.routes import PollRoutes
from reactions.polls.service.closing import PollClosing
from reactions.polls.service.polls import PollService
from reactions.routes import ReactionRoutes
from reactions.service.reactions import ReactionService
from reactions.wiring import REACTION_INDEXES

INDEXES: Final[tuple[Index, ...]] = (
    *GROUP_INDEXES,
    *CONVERSATION_INDEXES,
    *REACTION_INDEXES,
    *CHANNEL_INDEXES,
    *COMMENT_INDEXES,
    *DEFAULT_CHANNEL_INDEXES,
    *SUBSCRIBER_TAG_INDEXES,
    *BROADCAST_INDEXES,
    *ANALYTICS_INDEXES,
    *AUTOMATIC_MESSAGE_INDEXES,
    *MENU_INDEXES,
    *CLICK_INDEXES,
    *FORM_INDEXES,
    *WEBHOOK_INDEXES,
    *PUSH_INDEXES,
    *DELIVERY_INDEXES,
    *REPORT_INDEXES,
    *ABUSE_REPORT_INDEXES,
    *USER_DATA_INDEXES,
)

DEFAULT_OPTIONS: Final = ServiceOptions()


@dataclass(frozen=True, slots=True)
class Services:
    """All services on one database."""

    database: Database
    bus: EventBus
    log: EventLog
    limits: Limits
    clock: Clock
    chat: GroupChat
    conversations: Conversations
    reactions: ReactionService
    polls: PollService
    poll_closing: PollClosing
    acknowledgements: Acknowledgements
    channels: Channels
    buttons: Buttons
    forms: FormService
    comments: Comments
    comment_rates: UserRates
    default_channels: DefaultSubscribing
    subscriber_tagging: SubscriberTagging
    broadcasts: Broadcasts
    analytics: Analytics
    automatic: AutomaticMessages
    menus: MenuService
    menu_rates: UserRates
    clicks: ClickService
    feed: FeedService
    reading_feed: ReadingFeedService
    searching: SearchService
    search_rates: UserRates
    webhooks: Webhooks
    push: Push
    push_delivery: PushDelivery
    reports: Reports
    abuse_reports: AbuseReports
    user_data: UserData
    shares: ShareService
    link_previews: LinkPreviewService
    metrics: Metrics
    clock_sync: PeriodicTask
    options: ServiceOptions
    review_http: OutboundClient

    def revoked_at(self, user_id: UserId) -> datetime | None:
        """Until when the user's tokens are refused: revoked, or of a user who was deleted. None: none is."""
        revoked_at = self.chat.revocations.revoked_at(user_id)
        deleted_at = self.user_data.deletions.revoked_at(user_id)
        if revoked_at is None or deleted_at is None:
            return revoked_at or deleted_at
        return max(revoked_at, deleted_at)

    async def prepare(self) -> None:
        """Create the indexes, and migrate an older database."""
        schema, to_take = Schema(self.database), migrations(self.database, self.chat, self.channels)
        await schema.record_version(to_take[-1].version)
        await ensure_indexes(
            self.database, INDEXES, event_retention_seconds=self.options.event_retention_seconds
        )
        await schema.migrate(to_take)

    async def start(self) -> None:
        """Prepare the database, listen to events, and resume unfinished background work."""
        await self.prepare()
        await self.bus.start()
        # After the bus: a revocation in between would otherwise be missed.
        await self.chat.revocations.load()
        await self.chat.accounts.load()
        await self.user_data.start()
        await self.default_channels.start()
        await self.chat.cleanup.resume()
        self.chat.retention_task.start()
        self.clock_sync.start()
        self.chat.media.start()
        await self.chat.indexing.start()
        self.channels.drafting.scheduler.start()
        self.poll_closing.start()
        self.broadcasts.worker.start()
        self.comments.cleanup_task.start()
        self.analytics.rollup_task.start()
        self.analytics.counting.start()
        self.reports.sockets.start()
        await self.abuse_reports.clearing.resume()
        await self.push_delivery.start()
        self.automatic.worker.start()
        self.log.start()
        self.webhooks.start()

    async def stop(self) -> None:
        """Finish what was submitted. Nothing may be submitted afterwards."""
        await self.feed.close()
        # Before the queues that its steps submit to.
        await self.user_data.close()
        await self.log.close()
        await self.automatic.worker.close()
        await self.webhooks.stop()
        await self.push_delivery.close()
        await self.reports.sockets.close()
        await self.abuse_reports.close()
        await self.clock_sync.stop()
        await self.chat.indexing.close()
        await self.channels.drafting.scheduler.stop()
        await self.poll_closing.stop()
        await self.broadcasts.worker.close()
        await self.channels.channels.close()
        await self.comments.close()
        await self.default_channels.close()
        await self.clicks.close()
        await self.analytics.close()
        await self.chat.close()
        await self.conversations.close()
        await self.channels.dialogue_reactions.close()
        await self.reactions.close()
        await self.polls.close()
        await self.buttons.close()
        await self.acknowledgements.close()
        # After all that count.
        await self.analytics.counting.close()
        await self.bus.stop()
        await self.review_http.close()
        await self.link_previews.close()


def create_services(
    database: Database,
    limits: Limits,
    *,
    clock: Clock | None = None,
    options: ServiceOptions = DEFAULT_OPTIONS,
) -> Services:
    """The services of a deployment, not started.

    Without a `clock` they use the database's.
    """
    clock = clock or database.clock
    metrics = Metrics()
    metrics.clock_offset.set_function(lambda: database.clock.machine_ahead_seconds)
    bus = EventBus(database)
    log = EventLog(database, bus)
    group_core = group_wiring.build_core(
        database, limits, clock, on_batch=metrics.batch, disks=options.disks
    )
    engine = reaction_wiring.build_engine(group_core)
    analytics_core = analytics_wiring.build_core(database, limits)
    metrics.uncounted.set_function(lambda: analytics_core.counting.waiting_seconds)
    comment_cleanup = comment_wiring.build_cleanup(group_core, engine)
    draft_cleanup = draft_wiring.build_cleanup(database, group_core.draft_content)
    channel_core = channel_wiring.build_core(group_core, limits)
    webhooks_end = webhook_wiring.build_end(database, clock)
    push_core = push_wiring.build_core(database, limits, clock)
    report_core = report_wiring.build_core(database)
    broadcast_core = broadcast_wiring.build_core(group_core)
    conversation_core = conversation_wiring.build_core(
        group_core,
        limits,
        channel_core.inbox_rules,
        muted=[analytics_core.counter.muted],
        delete_of_stream=[engine.delete_some],
    )
    threads = conversation_core.threads
    review_http, before_post = review_client(), None
    if options.before_post is not None:
        before_post = BeforePost(
            options=options.before_post,
            client=review_http,
            limits=limits,
            on_outcome=metrics.review,
        )
    click_cleanup = click_wiring.build_cleanup(database)
    hooks = Hooks(
        before_post=before_post,
        members_left=[conversation_core.hooks],
        messages_posted=[conversation_core.hooks.messages_posted],
        members_counted=[analytics_core.counter.members_counted],
        messages_counted=[analytics_core.counter.messages_counted],
        disbanded=[
            threads.on_disbanded,
            channel_core.end.on_disbanded,
            webhooks_end.on_disbanded,
        ],
        reactions_closed=[engine.on_reactions_closed],
        recalled=[comment_cleanup.on_recalled],
        delete_reactions=engine.delete_reactions,
        messages_ended=[
            analytics_core.cleanup.messages_ended,
            click_cleanup.messages_ended,
            report_core.cleanup.messages_ended,
        ],
        ends_with_other=lambda stream_id: place_of(stream_id) is not None,
        stream_ended=[threads.on_stream_ended],
        delete_of_stream=[
            engine.delete_some,
            comment_cleanup.delete_some,
            draft_cleanup.delete_some,
            canned_reply_wiring.build_cleanup(database).delete_some,
            form_wiring.build_cleanup(database).delete_some,
            automatic_wiring.build_cleanup(database).delete_some,
            menu_wiring.build_cleanup(database).delete_some,
            default_wiring.build_cleanup(database, clock).delete_some,
            tag_wiring.build_cleanup(database).delete_some,
            broadcast_core.cleanup.delete_some,
            analytics_core.cleanup.delete_views,
            click_cleanup.delete_some,
            analytics_core.cleanup.delete_days,
            report_core.cleanup.delete_some,
        ],
        signatures=channel_core.post_settings.signatures,
        shows_owner=channel_core.post_settings.shows_owner,
        may_forward=channel_core.post_settings.may_forward,
        known_owners=channel_core.known_owners.among,
        private_source=conversation_core.forward_sources.find,
        profile=channel_core.store.query_event_fields,
        tallies=engine,
        blocks=conversation_core.blocks,
        read_cursor=conversation_core.hooks.read_cursor,
        tokens_revoked=[push_core.registry.remove_all_in],
    )
    chat = group_wiring.assemble(group_core, hooks)
    bus.listen(chat.revocations.on_events, TokensRevoked)
    bus.on_resync(chat.revocations.reload)
    bus.listen(chat.accounts.on_events, AccountKindChanged)
    bus.on_resync(chat.accounts.reload)
    conversations = conversation_wiring.assemble(
        database,
        conversation_core,
        chat,
        limits,
        limits,
        clock,
        user_wrote=broadcast_core.words.user_wrote,
        on_batch=metrics.batch,
    )
    reactions = reaction_wiring.assemble(chat, engine, reacted=[analytics_core.counter.reacted])
    polls = reaction_wiring.assemble_polls(chat, engine)
    poll_closing = reaction_wiring.build_poll_closing(chat, engine)
    acknowledgements = acknowledgement_wiring.assemble(
        chat, engine, most_names=limits.acknowledgement_names
    )
    channels = channel_wiring.assemble(
        database,
        channel_core,
        chat,
        conversations,
        reactions,
        bus,
        limits,
        clock,
        options.create_policy,
        on_batch=metrics.batch,
    )
    buttons = button_wiring.assemble(engine, conversations, channel_core.inbox_rules)
    comment_rates = UserRates(limits.comments_per_second, "comments")
    comments = comment_wiring.assemble(
        database,
        chat,
        engine,
        comment_cleanup,
        conversation_core.blocks,
        comment_rates.take,
        limits,
        clock,
        on_batch=metrics.batch,
    )
    clicks = click_wiring.assemble(
        database,
        chat,
        channels.channel,
        analytics_core.counter,
        clock,
        on_batch=metrics.batch,
    )
    analytics = analytics_wiring.assemble(
        database,
        analytics_core,
        chat,
        channels.channel,
        limits,
        clock,
        clicks.totals,
        on_batch=metrics.batch,
    )
    default_channels = default_wiring.assemble(
        database, chat, channel_core.store.touch, channels.channel, bus, limits, clock
    )
    subscriber_tagging = tag_wiring.assemble(
        database, chat, log, channels.channel, channel_core.store.touch, limits
    )
    broadcasts = broadcast_wiring.assemble(
        database,
        broadcast_core,
        chat,
        conversations.dialogues,
        subscriber_tagging.segments,
        bus,
        channels.channel,
        channel_core.store.touch,
        channel_core.inbox_rules.staff,
        limits,
        clock,
    )
    webhooks = webhook_wiring.assemble(
        database,
        chat,
        log,
        channels.channel,
        channel_core.store.touch,
        limits,
        clock,
        options.webhook_allowed_networks,
        on_attempt=metrics.webhook_attempt,
        on_disabled=metrics.webhook_disabled,
    )
    automatic = automatic_wiring.assemble(
        database,
        chat,
        log,
        channels.channel,
        channel_core.store.touch,
        conversations.dialogues,
        limits,
        clock,
    )
    menu_rates = UserRates(limits.menu_selections_per_second, "menu selections")
    menus = menu_wiring.assemble(
        database,
        chat,
        conversations,
        channel_core.store,
        channels.profiles,
        channels.channel,
        menu_rates.take,
        clock,
    )
    metrics.webhook_overdue.set_function(lambda: webhooks.dispatcher.overdue_seconds)
    metrics.webhook_streams_waiting.set_function(lambda: webhooks.dispatcher.streams_waiting)
    push_delivery = delivery_wiring.build(
        database,
        log,
        push_core,
        chat,
        conversations.notification_settings,
        report_core.pushes,
        options.push,
        options.webhook_allowed_networks,
        limits,
        clock,
        acknowledged_among=acknowledgements.reader.acknowledged_among,
        inbox_readers=channel_core.inbox_rules.staff,
        inbox_read_seq=conversations.threads.find_read_seq,
        on_outcomes=metrics.pushes,
    )
    metrics.push_waiting.set_function(lambda: push_delivery.worker.waiting_seconds)
    push = push_wiring.assemble(
        database,
        push_core,
        chat.revocations,
        clock,
        info=push_delivery.info,
        activate=push_delivery.activate,
    )
    metrics.follow_consumers(log.consumers)
    metrics.unsequenced.set_function(lambda: log.sequencer.waiting_seconds)
    abuse_reports = abuse_wiring.build(
        database,
        chat,
        conversations,
        comments,
        channels.channel,
        channels.inbox,
        limits,
        clock,
        on_batch=metrics.batch,
    )
    user_data = user_data_wiring.build(
        database,
        chat,
        comments,
        conversation_core.endings,
        reaction_wiring.build_withdrawal(
            chat, engine, hooks=[publish_presses_withdrawn, publish_acknowledgement_withdrawn]
        ),
        draft_cleanup,
        abuse_reports.withdrawal,
        subscriber_tagging.withdrawal,
        broadcasts.positions,
        bus,
        log,
        options.user_data,
        clock,
    )
    metrics.search_indexed.set_function(lambda: chat.indexing.progress)
    search_rates = UserRates(limits.searches_per_second, "search")
    feed = build_feed(log, chat, channels.channel, limits)
    metrics.feed_readers.set_function(lambda: feed.readers)
    return Services(
        database=database,
        bus=bus,
        log=log,
        limits=limits,
        clock=clock,
        chat=chat,
        conversations=conversations,
        reactions=reactions,
        polls=polls,
        poll_closing=poll_closing,
        acknowledgements=acknowledgements,
        channels=channels,
        buttons=buttons,
        forms=form_wiring.assemble(
            database,
            chat,
            channels.channel,
            conversations.dialogues,
            channel_core.store.touch,
            limits,
            clock,
        ),
        comments=comments,
        comment_rates=comment_rates,
        default_channels=default_channels,
        subscriber_tagging=subscriber_tagging,
        broadcasts=broadcasts,
        analytics=analytics,
        automatic=automatic,
        menus=menus,
        menu_rates=menu_rates,
        clicks=clicks,
        feed=feed,
        reading_feed=ReadingFeedService(
            database=database,
            conversation_list=conversations.conversation_list,
            many_streams=chat.many_streams,
            bulk_access=chat.bulk_access,
            tallies=engine,
        ),
        searching=SearchService(
            database=database,
            conversations=conversations.conversation_list.guard,
            dialogues=conversations.dialogues,
            memberships=chat.membership_reader,
            guard=chat.guard,
            bulk_access=chat.bulk_access,
            many_streams=chat.many_streams,
            users=chat.users,
            tallies=engine,
            indexing=chat.indexing,
            take_turn=search_rates.take,
        ),
        search_rates=search_rates,
        webhooks=webhooks,
        push=push,
        push_delivery=push_delivery,
        reports=report_wiring.assemble(report_core, channels.channel, chat.guard),
        abuse_reports=abuse_reports,
        user_data=user_data,
        shares=ShareService(
            channels=channels.channels,
            channel=channels.channel,
            guard=chat.guard,
            options=options.share,
        ),
        link_previews=LinkPreviewService(
            pages=http_of_pages(options.link_preview_networks),
            pictures=http_of_pictures(options.link_preview_networks),
            media=chat.media,
            limits=limits,
        ),
        metrics=metrics,
        clock_sync=PeriodicTask(database.read_clock, CLOCK_SYNC_SECONDS, name="clock-sync"),
        options=options,
        review_http=review_http,
    )


def endpoints_for(services: Services) -> list[Endpoint]:
    """Every call of the API."""
    chat, channels, conversations = services.chat, services.channels, services.conversations
    link_calls = InviteLinkCalls(
        links=chat.invite_links,
        addresses=invite_addresses(services.options.share),
        clock=services.clock,
    )
    acknowledgement_calls = AcknowledgementCalls(
        acknowledgements=services.acknowledgements.acknowledgements,
        overview=services.acknowledgements.overview,
        users=chat.users,
    )
    request_calls = JoinRequestCalls(requests=chat.requests, users=chat.users)
    rendering = ConversationRendering()
    routes: Sequence[object] = (
        ChannelRoutes(
            channels=channels.channels,
            subscriptions=channels.subscriptions,
            verified_badges=channels.verified_badges,
        ),
        DefaultChannelRoutes(defaults=services.default_channels.defaults),
        SyncRoutes(
            sync=channels.sync,
            group_limits=services.limits,
            limits=limits_of_clients(services.limits),
            conversations=rendering,
        ),
        SubscriberRoutes(
            channel=channels.channel,
            channels=channels.channels,
            memberships=chat.membership,
            imports=chat.imports,
            users=chat.users,
            tags=services.subscriber_tagging.tags,
        ),
        SubscriberTagRoutes(tags=services.subscriber_tagging.tags),
        BroadcastRoutes(broadcasts=services.broadcasts.broadcasts),
        OptOutRoutes(opt_outs=services.broadcasts.opt_outs),
        AdminRoutes(
            channel=channels.channel,
            memberships=chat.membership,
            inviting=chat.invitations,
            log=chat.admin_log,
            users=chat.users,
        ),
        PostRoutes(
            channel=channels.channel,
            messages=chat.messages,
            edits=chat.edits,
            forwards=chat.forwards,
            pinning=chat.pins,
            reacting=services.reactions,
            users=chat.users,
            clock=services.clock,
        ),
        DraftRoutes(drafts=channels.drafting.drafts, clock=services.clock),
        CommentRoutes(
            channel=channels.channel,
            comments=services.comments.comments,
            reader=services.comments.reader,
            reactions=services.comments.reactions,
            memberships=chat.membership,
        ),
        CannedReplyRoutes(replies=channels.canned_replies),
        MenuRoutes(menus=services.menus),
        AutomaticMessageRoutes(messages=services.automatic.messages, clock=services.clock),
        ViewRoutes(views=services.analytics.views),
        ClickRoutes(clicks=services.clicks),
        InsightRoutes(insights=services.analytics.insights),
        ReportRoutes(reports=services.reports.reports),
        AbuseReportRoutes(
            reporting=services.abuse_reports.reporting, cases=services.abuse_reports.cases
        ),
        ModerationRoutes(
            channel=channels.channel,
            suspensions=chat.suspensions,
            restrictions=chat.restrictions,
            log=chat.admin_log,
        ),
        ShareRoutes(shares=services.shares),
        FeedRoutes(feed=services.feed),
        ReadingFeedRoutes(reading_feed=services.reading_feed, clock=services.clock),
        SearchRoutes(searching=services.searching, clock=services.clock),
        AppWebhookRoutes(
            webhooks=services.webhooks.webhooks, deliveries=services.webhooks.deliveries
        ),
        ChannelWebhookRoutes(
            webhooks=services.webhooks.webhooks, deliveries=services.webhooks.deliveries
        ),
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
        InvitationRoutes(inviting=chat.invitations),
        InviteLinkRoutes(calls=link_calls),
        ChannelInviteLinkRoutes(channel=channels.channel, calls=link_calls),
        JoinRequestRoutes(calls=request_calls),
        ChannelJoinRequestRoutes(channel=channels.channel, calls=request_calls),
        InvitedRoutes(
            invited=chat.invited,
            requests=chat.requests,
            profiles=channels.profiles,
            limits=services.limits,
        ),
        MessageRoutes(
            messages=chat.messages,
            edits=chat.edits,
            forwards=chat.forwards,
            tallies=services.reactions.engine,
            users=chat.users,
            clock=services.clock,
        ),
        ReactionRoutes(reactions=services.reactions, users=chat.users),
        PollRoutes(polls=services.polls, users=chat.users),
        ChannelPollRoutes(channel=channels.channel, polls=services.polls),
        ButtonRoutes(
            channel=channels.channel,
            posts=services.buttons.posts,
            dialogues=conversations.dialogues,
            messages=services.buttons.messages,
        ),
        AcknowledgementRoutes(calls=acknowledgement_calls),
        ChannelAcknowledgementRoutes(channel=channels.channel, calls=acknowledgement_calls),
        FormRoutes(forms=services.forms),
        ConversationRoutes(
            conversation_list=conversations.conversation_list,
            read_cursors=conversations.read_cursors,
            settings=conversations.settings,
            dialogues=conversations.dialogues,
            rendering=rendering,
        ),
        ConversationGroupRoutes(
            groups=conversations.conversation_groups,
            conversation_list=conversations.conversation_list,
        ),
        DialogueRoutes(
            dialogues=conversations.dialogues,
            edits=conversations.dialogue_edits,
            timeline=channels.timeline,
            clock=services.clock,
            reactions=channels.dialogue_reactions,
        ),
        DialogueReactionRoutes(
            reactions=channels.dialogue_reactions,
            dialogues=conversations.dialogues,
            inbox=channels.inbox,
        ),
        BlockRoutes(blocks=conversations.blocks),
        DeviceRoutes(devices=services.push.devices, info=services.push.info),
        InboxRoutes(
            inbox=channels.inbox,
            threads=conversations.threads,
            tags=conversations.thread_tags,
            dialogues=conversations.dialogues,
            batches=channels.inbox_batches,
            edits=conversations.dialogue_edits,
            reactions=channels.dialogue_reactions,
            users=chat.users,
        ),
        MediaRoutes(chat.media),
        LinkPreviewRoutes(previews=services.link_previews),
        UserRoutes(users=chat.users, revocations=chat.revocations, limits=services.limits),
        UserDataRoutes(
            exports=services.user_data.exports,
            deletions=services.user_data.deletions,
            steps=services.user_data.steps,
        ),
    )
    return [endpoint for part in routes for endpoint in endpoints_of(part)]


def provider_keys(identity: ProviderOptions, metrics: Metrics) -> ProviderKeys:
    """The keys of the identity provider, not fetched yet."""
    source = identity.keys
    keys = ProviderKeys(
        load_file(source) if isinstance(source, Path) else load_url(source),
        source=str(source) if isinstance(source, Path) else urlsplit(source).netloc,
        on_failure=metrics.identity_failures.inc,
    )
    metrics.identity_keys_age.set_function(lambda: keys.age_seconds)
    return keys


class App(web.BaseRunner):
    """The HTTP server of the services. It starts and stops them.

    It is aiohttp's low-level server with a router of our own: `web.Application` adds a third to the cost of a call.
    """

    def __init__(
        self,
        services: Services,
        secret: str,
        *,
        previous_secret: str | None = None,
        identity: ProviderOptions | None = None,
        allowed_origins: Sequence[str] = (),
        shutdown_timeout: float = 5.0,
        trusted_proxies: Sequence[IPvAnyNetwork] = (),
        public_pages: PublicPages = "noindex",
        public_url: str | None = None,
        sign_in_url: str | None = None,
        demo: DemoPages | None = None,
        metrics_token: str | None = None,
        absent_seconds: float = NOT_FOUND_SECONDS,
        connections: int | None = None,
        probe_seconds: float = PROBE_SECONDS,
        traced: Callable[[Serve, Router], Serve] | None = None,
    ) -> None:
        """`connections` is the most that the process may hold; None: no limit.

        `identity`: the identity provider whose tokens are accepted beside those signed with the secret. `traced` wraps
        the serving of requests in traces; None: there are none.
        """
        super().__init__(shutdown_timeout=shutdown_timeout)
        limits, metrics = services.limits, services.metrics
        self.identity_keys = keys = None if identity is None else provider_keys(identity, metrics)
        verifier = TokenVerifier(
            secret,
            previous=previous_secret,
            revoked_at=services.revoked_at,
            check_kind=services.chat.accounts.check,
            clock=services.clock,
            provider=IdentityProvider(identity, keys, services.clock)
            if identity and keys
            else None,
        )
        addresses = AddressLimits(
            limits.address_requests_per_second,
            limits.address_sockets,
            limits.address_transfers,
            trusted_proxies=trusted_proxies,
        )
        authenticator = Authenticator(
            verifier,
            addresses,
            services.chat.accounts.register,
            on_seen=services.default_channels.newcomers.seen,
            keys=keys,
        )
        cors = CorsPolicy(allowed_origins)
        rates = UserRates(limits.requests_per_second)
        not_found_delay = NotFoundDelay(absent_seconds)
        load_shedder = LoadShedder(limits.concurrent_requests, limits.waiting_milliseconds / 1000)
        self.load_shedder = load_shedder
        metrics.places.set_function(lambda: load_shedder.places)
        metrics.at_work.set_function(lambda: load_shedder.at_work)
        images = services.chat.media.image_workers
        metrics.picture_worker_deaths.set_function(lambda: images.deaths)
        http = HttpServer(limits, metrics, cors, load_shedder, addresses)
        self._unsent = UnsentBytes(
            limits.unsent_bytes_per_user,
            limits.address_unsent_bytes,
            on_cut=metrics.slow_readers.inc,
        )
        metrics.unsent_bytes.set_function(lambda: self._unsent.total)
        self._connections = ConnectionLimits(
            addresses, limits.address_connections, http.serve_crowded, capacity=connections
        )
        self.services = services
        self.router = http.router
        self.hub = Hub(
            metrics,
            limits.sockets_per_user,
            services.clock,
            presence=services.push_delivery.presence,
            on_posts=services.reports.sockets.handed_over,
        )
        if keys is not None:
            # Tokens first, so that a session that opens meanwhile is checked against the new keys.
            keys.on_withdrawn += [lambda _: verifier.cache.clear(), self.hub.end_withdrawn]
        services.bus.listen(self.hub.on_events, *NEEDED_BY_HUBS, wants=self.hub.wants)
        self._inbox_unread = InboxUnreadFeed(self.hub, services.conversations.threads.unread_totals)
        services.bus.listen(self._inbox_unread.on_events, wants=self.hub.wants)
        self.unread_feed = UnreadFeed(
            self.hub,
            lambda user_id: services.conversations.conversation_list.unread_totals(Actor(user_id)),
        )
        services.bus.listen(self.unread_feed.on_events, wants=self.hub.wants)
        self._reminders = ReminderFeed(
            self.hub, services.acknowledgements.reader.acknowledged_among
        )
        services.bus.listen(self._reminders.on_events, wants=self.hub.wants)
        services.bus.on_resync(self.hub.resync)
        self._http = http
        self._serve: Serve = http.serve if traced is None else traced(http.serve, http.router)
        self._socket = SocketServer(
            hub=self.hub,
            authenticator=authenticator,
            addresses=addresses,
            rates=rates,
            clock=services.clock,
            metrics=metrics,
            cors=cors,
            not_found_delay=not_found_delay,
            group_ids_of=services.chat.membership.list_group_ids,
            watching=Watching(
                self.hub,
                services.chat.guard.read_access_of,
                services.comments.reader.access,
                services.reactions.tallies_in,
                services.polls.find_voted,
                services.clock,
            ),
        )
        endpoints = endpoints_for(services)
        self.operations = OperationsPages(
            services.database,
            services.bus,
            metrics,
            addresses,
            {"/openapi.json": partial(document, endpoints), "/asyncapi.json": asyncapi.document},
            metrics_token=metrics_token,
            probe_seconds=probe_seconds,
        )
        self.rate_sharing = RateSharing(
            services.database,
            services.clock,
            [
                each
                for each in (
                    rates.buckets,
                    addresses.buckets,
                    services.search_rates.buckets,
                    services.comment_rates.buckets,
                    services.menu_rates.buckets,
                )
                if each is not None
            ],
        )
        services.bus.listen(self.rate_sharing.on_events, RatesSpent)
        handlers = self.handlers = EndpointHandlers(
            authenticator, addresses, rates, limits, load_shedder, not_found_delay
        )
        locks = services.database.locks
        metrics.waiting_for_own.set_function(
            lambda: handlers.user_requests.waiting + handlers.back_end_requests.waiting
        )
        metrics.waiting_for_document.set_function(lambda: locks.waiting)
        http.mount(endpoints, handlers)
        http.router.add("GET", SOCKET_PATH, self._socket.handle, is_counted=False)
        self.operations.mount(http.router)
        DocsPages(partial(document, endpoints)).mount(http.router)
        SdkFiles().mount(http.router)
        deployment = Deployment(
            has_public_pages=public_pages != "off",
            has_demo=demo is not None,
            sign_in_url=sign_in_url,
            may_export=services.options.user_data.may_export,
            may_delete=services.options.user_data.may_delete,
        )
        WebApp(limits, deployment).mount(http.router)
        if demo is not None:
            demo.mount(http.router)
        public = PublicChannelPages(
            services.channels,
            services.chat.messages,
            services.chat.media,
            services.clock,
            public_pages,
            addresses,
            not_found_delay,
            public_url=public_url,
        )
        public.mount(http.router)
        InvitePages(services.chat.invited, addresses, not_found_delay, public_url=public_url).mount(
            http.router
        )
        LinkPages(
            services.clicks, secret, addresses, not_found_delay, is_on=public_pages != "off"
        ).mount(http.router)

    async def _make_server(self) -> web.Server:
        await self.services.start()
        if self.identity_keys is not None:
            await self.identity_keys.start()
        loop = asyncio.get_running_loop()
        self.services.metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
        self.rate_sharing.task.start()
        return Listener(
            self._serve,
            self._connections,
            self._unsent,
            request_factory=self._http.request,
            access_log=None,
            # Encoded bodies are refused (`uploads.refuse_encoded`), so none is decompressed.
            auto_decompress=False,
            # Longer than load balancers keep idle connections, so that they close first.
            keepalive_timeout=630,
            # The largest header is a 4 KiB token. A long request line is refused by the types, with a reason.
            max_line_size=65_536,
            max_field_size=16_384,
        )

    async def shutdown(self) -> None:
        """Report not ready, so that load balancers send no more; then close the sockets, whose clients reconnect."""
        self.operations.is_stopping = True
        await self.services.feed.close()
        await self._socket.close_all()
        await self._inbox_unread.close()
        await self._reminders.close()
        await self.unread_feed.close()
        await self.rate_sharing.task.stop()
        if self.identity_keys is not None:
            await self.identity_keys.stop()

    async def _cleanup_server(self) -> None:
        # Without a server, the start failed, and stopped what it had started.
        if self.server is not None:
            await self.services.stop()
