"""The limits of channels and of the server, and all limits of a deployment in one model.

`CHANNELS_LIMIT_<NAME>` sets each. A comment gives the unit and the source; "ours" are our own choices.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from conversations.limits import ConversationLimits
from groups.limits import GroupLimits, OrNone, Positive

CHANNEL_ORGANIZATION_BYTES: Final = 500  # UTF-8; founding document, profile fields
CHANNEL_CUSTOM_DATA_BYTES: Final = 3_000  # UTF-8; founding document, profile fields
CHANNEL_REACTIONS_PER_USER: Final = 1  # a new one replaces the old one, as in WhatsApp channels
VIEWS_PER_CALL: Final = 100  # posts reported as seen in one call; ours: the largest page of posts
MOST_VIEWS_PER_CALL: Final = 1_000  # the highest setting: a longer list is not even parsed
SOCKETS_PER_USER: Final = 20  # on one process: devices, tabs and some lost connections; ours


class ChannelLimits(BaseModel):
    """The limits of channels and of the server that a deployment may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: OrNone = 1_000  # of a deployment; founding document, WhatsApp-style, 1
    channel_organization_bytes: Positive = CHANNEL_ORGANIZATION_BYTES
    channel_custom_data_bytes: Positive = CHANNEL_CUSTOM_DATA_BYTES
    drafts: Positive = 100  # of one channel, not scheduled; ours
    scheduled_posts: Positive = 100  # of one channel; ours, the same as Telegram's for one chat
    schedule_ahead_seconds: Positive = 365 * 24 * 3600  # from now to a scheduled post; ours
    views_per_call: Annotated[int, Field(ge=1, le=MOST_VIEWS_PER_CALL)] = VIEWS_PER_CALL
    insight_days: Positive = 400  # of statistics kept; ours: a year, and the year before to compare
    insight_range_days: Positive = 366  # in one request; ours: any year
    requests_per_second: OrNone = 200  # of one user, 0: no limit; reference product, REST calls
    address_requests_per_second: OrNone = 2_000
    """Of one address, without a valid token, 0: no limit; ours: many users may share an address."""
    address_sockets: OrNone = 10_000
    """Unauthenticated, of one address on one process, 0: no limit; ours: after a restart all reconnect at once."""
    address_transfers: OrNone = 500
    """Of files to one address without a token, on one process, 0: no limit; ours."""
    address_connections: OrNone = 4_000
    """Of one address on one process, without the sockets of authenticated users; ours. 0: half of the process's."""
    unsent_bytes_per_user: OrNone = 16 * 2**20
    """That one user has not read, on one process, 0: no limit; ours."""
    address_unsent_bytes: OrNone = 64 * 2**20
    """That an address without a token has not read, 0: no limit; ours."""
    transfers_per_user: OrNone = 100
    """Bodies that one user is still sending, on one process, 0: no limit; ours."""
    requests_at_work_per_user: OrNone = 8
    """At once, on one process, 0: no limit; further ones wait; ours."""
    waiting_requests_per_user: OrNone = 200  # ours: all requests allowed in a second
    requests_at_work_per_back_end: OrNone = 128
    """Of a user with an app-admin token, who sends requests for many users, 0: no limit; ours."""
    waiting_requests_per_back_end: OrNone = 1_024  # of such a user; ours
    sockets_per_user: Positive = SOCKETS_PER_USER
    concurrent_requests: Positive = 4_096  # of one process; further ones are refused, not queued
    waiting_milliseconds: Positive = 500  # average wait of a request; ours: the client waits too
    request_body_bytes: Positive = 256 * 1024  # JSON; ours: the largest valid one is far smaller


class Limits(ChannelLimits, ConversationLimits, GroupLimits):
    """Every limit of a deployment."""
