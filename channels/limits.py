"""The limits of channels and of the server, and all limits of a deployment in one model.

`CHANNELS_LIMIT_<NAME>` sets each field.
"""

from typing import Annotated, Final

from pydantic import Field

from channels.link_previews.limits import LinkPreviewLimits
from channels.push.limits import PushLimits
from channels.reports.limits import ReportLimits
from channels.webhooks.limits import WebhookLimits
from conversations.limits import ConversationLimits
from groups.kernel.limits import (
    About,
    LimitModel,
    OrNone,
    OrUnlimited,
    Positive,
    Section,
    Source,
    Zero,
)
from groups.limits import GroupLimits

# Defaults that other modules name too.
CHANNEL_ORGANIZATION_BYTES: Final = 500
CHANNEL_CUSTOM_DATA_BYTES: Final = 3_000
VIEWS_PER_CALL: Final = 100
SOCKETS_PER_USER: Final = 20

# Bounds that no deployment sets.
CHANNEL_REACTIONS_PER_USER: Final = 1  # a new one replaces the old one, as in WhatsApp channels
MOST_VIEWS_PER_CALL: Final = 1_000  # the highest setting: a longer list is not even parsed

_RATE_LIMITED: Final = "`rate_limited`"
_TOO_LONG: Final = "`field_too_long`"
_CUT: Final = "The connections that waited longest are cut."


class ChannelLimits(LimitModel):
    """The limits of channels and of the server that a deployment may set."""

    channels: Annotated[
        OrNone, About(Section.MEMBERS, Source.DOCUMENT, "`channel_limit_reached`")
    ] = 1_000
    """Channels of the deployment."""
    channels_per_owner: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`channels_per_owner_reached`")
    ] = 50
    """Channels that one user has created, or made of groups, and that still exist, whoever owns them now.

    App admins are exempt.
    """
    default_channels: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`default_channel_limit_reached`")
    ] = 20
    """Channels to which everybody is subscribed once."""
    channel_organization_bytes: Annotated[
        Positive, About(Section.PROFILES, Source.DOCUMENT, _TOO_LONG)
    ] = CHANNEL_ORGANIZATION_BYTES
    """The organization behind a channel."""
    channel_custom_data_bytes: Annotated[
        Positive, About(Section.PROFILES, Source.DOCUMENT, _TOO_LONG)
    ] = CHANNEL_CUSTOM_DATA_BYTES
    """The custom data of a channel."""
    drafts: Annotated[Positive, About(Section.MESSAGES, Source.OURS, "`draft_limit_reached`")] = 100
    """Drafts of one channel that are not scheduled."""
    scheduled_posts: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`schedule_limit_reached`")
    ] = 100
    """Scheduled posts of one channel, failed ones included. As many as in Telegram."""
    schedule_ahead_seconds: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`bad_publish_at`")
    ] = 365 * 24 * 3600
    """How far ahead a post can be scheduled."""
    acknowledgement_names: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`too_many_to_name`")
    ] = 1_000
    """Members of a group or channel in which those are named who have not acknowledged a message."""
    comments_per_post: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`comment_limit_reached`")
    ] = 10_000
    """Comments on one post, deleted ones included."""
    subscriber_tags: Annotated[
        OrNone, About(Section.MEMBERS, Source.OURS, "`subscriber_tag_limit_reached`")
    ] = 200
    """Different tags that the subscribers of one channel have."""
    broadcast_rate: Annotated[
        Positive, About(Section.CONVERSATIONS, Source.OURS, "`invalid_request`")
    ] = 500
    """Messages a second of one broadcast. What the database takes beside posts may be less."""
    broadcasts_at_once: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`broadcasts_at_once_reached`")
    ] = 3
    """Broadcasts of one channel that are scheduled or running."""
    broadcasts_per_day: Annotated[
        OrNone, About(Section.CONVERSATIONS, Source.OURS, "`broadcasts_per_day_reached`")
    ] = 20
    """Broadcasts that one channel creates in 24 hours."""
    canned_replies: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`canned_reply_limit_reached`")
    ] = 100
    """Canned replies of one channel."""
    auto_replies: Annotated[
        Positive, About(Section.MESSAGES, Source.OURS, "`auto_reply_limit_reached`")
    ] = 50
    """Automatic answers of one channel, those that are off included."""
    forms: Annotated[Positive, About(Section.MESSAGES, Source.OURS, "`form_limit_reached`")] = 20
    """Forms of one channel."""
    form_fields: Annotated[Positive, About(Section.MESSAGES, Source.OURS, "`invalid_request`")] = 10
    """Fields of one form."""
    form_options: Annotated[Positive, About(Section.MESSAGES, Source.OURS, "`invalid_request`")] = (
        20
    )
    """Options of one field of a form."""
    form_label_bytes: Annotated[Positive, About(Section.MESSAGES, Source.OURS, _TOO_LONG)] = 150
    """The title of a form, the label of a field, and an option."""
    form_text_bytes: Annotated[Positive, About(Section.MESSAGES, Source.OURS, _TOO_LONG)] = 1_000
    """The text above the fields of a form, and the text after it is sent."""
    views_per_call: Annotated[
        int,
        Field(ge=1, le=MOST_VIEWS_PER_CALL),
        About(Section.INSIGHTS, Source.OURS, "`invalid_request`"),
    ] = VIEWS_PER_CALL
    """Posts that one call reports as seen: a page of posts."""
    insight_days: Annotated[
        Positive, About(Section.INSIGHTS, Source.OURS, "Older days are deleted.")
    ] = 400
    """Days for which the insights of a channel are kept: a year, and some of the year before to compare."""
    insight_range_days: Annotated[
        Positive, About(Section.INSIGHTS, Source.OURS, "`invalid_request`")
    ] = 366
    """Days of insights in one request."""
    requests_per_second: Annotated[
        OrUnlimited, About(Section.USERS, Source.TENCENT, _RATE_LIMITED)
    ] = 200
    """Requests a second of one user, over all processes.

    Opening a socket counts, and so does watching a conversation. App admins are exempt.
    """
    searches_per_second: Annotated[
        OrUnlimited, About(Section.USERS, Source.OURS, _RATE_LIMITED)
    ] = 5
    """Searches in messages a second of one user, over all processes. App admins are exempt."""
    comments_per_second: Annotated[
        OrUnlimited, About(Section.USERS, Source.OURS, _RATE_LIMITED)
    ] = 5
    """Comments a second of one user, over all processes. App admins are exempt."""
    menu_selections_per_second: Annotated[
        OrUnlimited, About(Section.USERS, Source.OURS, _RATE_LIMITED)
    ] = 5
    """Selections in menus of channels a second of one user, over all processes. App admins are exempt."""
    address_requests_per_second: Annotated[
        OrUnlimited, About(Section.ADDRESSES, Source.OURS, _RATE_LIMITED)
    ] = 2_000
    """Requests a second without a valid token, of one address (IPv6: one /64 network), over all processes."""
    address_sockets: Annotated[
        OrUnlimited, About(Section.ADDRESSES, Source.OURS, _RATE_LIMITED)
    ] = 10_000
    """Sockets of one address on one process that have not authenticated yet. After a restart all come back at once."""
    address_transfers: Annotated[
        OrUnlimited, About(Section.ADDRESSES, Source.OURS, _RATE_LIMITED)
    ] = 500
    """Files that one address loads at once, on one process."""
    address_connections: Annotated[
        int,
        Field(ge=0),
        Zero("half of what the process may hold"),
        About(Section.ADDRESSES, Source.OURS, "`unavailable`"),
    ] = 4_000
    """Connections of one address on one process, and never more than half of what the process may hold.

    Sockets of authenticated users and connections of trusted proxies do not count.
    """
    unsent_bytes_per_user: Annotated[OrUnlimited, About(Section.USERS, Source.OURS, _CUT)] = (
        16 * 2**20
    )
    """Bytes of responses that one user has not read, on one process. Sockets do not count."""
    address_unsent_bytes: Annotated[OrUnlimited, About(Section.ADDRESSES, Source.OURS, _CUT)] = (
        64 * 2**20
    )
    """Bytes of responses that one address without a token has not read, on one process."""
    transfers_per_user: Annotated[OrUnlimited, About(Section.USERS, Source.OURS, _RATE_LIMITED)] = (
        100
    )
    """Requests of one user whose bodies are still being sent, on one process."""
    requests_at_work_per_user: Annotated[
        OrUnlimited, About(Section.USERS, Source.OURS, "Further requests wait.")
    ] = 8
    """Requests of one user that one process works on at once."""
    waiting_requests_per_user: Annotated[
        OrNone, About(Section.USERS, Source.OURS, _RATE_LIMITED)
    ] = 200
    """Requests of one user that wait for the ones at work, on one process."""
    requests_at_work_per_back_end: Annotated[
        OrUnlimited, About(Section.USERS, Source.OURS, "Further requests wait.")
    ] = 128
    """The same for a user with an app-admin token, which sends requests for many users."""
    waiting_requests_per_back_end: Annotated[
        OrNone, About(Section.USERS, Source.OURS, _RATE_LIMITED)
    ] = 1_024
    """The same for a user with an app-admin token."""
    sockets_per_user: Annotated[
        Positive, About(Section.USERS, Source.OURS, "The oldest socket is closed with 4502.")
    ] = SOCKETS_PER_USER
    """Sockets of one user on one process: devices, tabs, and some lost connections."""
    feed_readers_per_user: Annotated[Positive, About(Section.USERS, Source.OURS, _RATE_LIMITED)] = (
        32
    )
    """Requests of one user that wait for events, or follow them, on one process."""
    concurrent_requests: Annotated[
        Positive, About(Section.SERVER, Source.OURS, "`unavailable`")
    ] = 4_096
    """The most requests that a process accepts at once. How many it accepts now depends on how fast it is."""
    waiting_milliseconds: Annotated[
        Positive, About(Section.SERVER, Source.OURS, "`unavailable`")
    ] = 500
    """How much longer than on an idle server a request may take on average, before the process accepts fewer.

    Set it higher where the database is far away and always busy.
    """
    request_body_bytes: Annotated[
        Positive, About(Section.SERVER, Source.OURS, "`body_too_large`")
    ] = 256 * 1024
    """The JSON body of a request. Valid ones are far smaller, but for `POST /v1/users`, where fewer users may fit."""


class Limits(
    ChannelLimits,
    LinkPreviewLimits,
    PushLimits,
    ReportLimits,
    WebhookLimits,
    ConversationLimits,
    GroupLimits,
):
    """Every limit of a deployment."""


_OF_SERVERS: Final = {Section.ADDRESSES, Section.SERVER}


def limits_of_clients(limits: Limits) -> dict[str, int | float | None]:
    """The limits that a client meets by what it does, by their names; null: none. Those of the servers are left out."""
    return {
        name: getattr(limits, name)
        for name, field in Limits.model_fields.items()
        if not any(
            isinstance(mark, About) and mark.section in _OF_SERVERS for mark in field.metadata
        )
    }
