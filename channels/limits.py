"""The limits of channels and of the server, and all limits of a deployment in one model.

`CHANNELS_LIMIT_<NAME>` sets each. A comment gives the unit and the source; "ours" are our own choices.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from conversations.limits import ConversationLimits
from groups.limits import GroupLimits, OrNone, Positive

CHANNELS: Final = 1_000  # of a deployment; founding document, WhatsApp-style, 1
CHANNEL_ORGANIZATION_BYTES: Final = 500  # UTF-8; founding document, profile fields
CHANNEL_CUSTOM_DATA_BYTES: Final = 3_000  # UTF-8; founding document, profile fields
DRAFTS: Final = 100  # of one channel, not scheduled; ours
SCHEDULED_POSTS: Final = 100  # of one channel; ours, the same as Telegram's for one chat
SCHEDULE_AHEAD_SECONDS: Final = 365 * 24 * 3600  # from now to a scheduled post; ours
CHANNEL_REACTIONS_PER_USER: Final = 1  # a new one replaces the old one, as in WhatsApp channels
VIEWS_PER_CALL: Final = 100  # posts reported as seen in one call; ours: the largest page of posts
MOST_VIEWS_PER_CALL: Final = 1_000  # the highest setting: a longer list is not even parsed
INSIGHT_DAYS: Final = 400  # days of statistics kept; ours: a year, and the year before to compare
INSIGHT_RANGE_DAYS: Final = 366  # days in one request; ours: any year
REQUESTS_PER_SECOND: Final = 200  # of one user; reference product, REST calls
ADDRESS_REQUESTS_PER_SECOND: Final = 2_000
"""Of one address, without a valid token; ours: many users may share an address."""
ADDRESS_SOCKETS: Final = 10_000
"""Unauthenticated sockets of one address on one process; ours: after a restart all reconnect at once."""
ADDRESS_TRANSFERS: Final = 500  # of files to one address without a token, on one process; ours
ADDRESS_CONNECTIONS: Final = 4_000
"""Connections of one address on one process, without the sockets of authenticated users; ours."""
UNSENT_BYTES_PER_USER: Final = 16 * 2**20  # that one user has not read, on one process; ours
ADDRESS_UNSENT_BYTES: Final = 64 * 2**20  # that an address without a token has not read; ours
TRANSFERS_PER_USER: Final = 100  # bodies that one user is still sending, on one process; ours
REQUESTS_AT_WORK_PER_USER: Final = 8  # at once, on one process; further ones wait; ours
WAITING_REQUESTS_PER_USER: Final = 200  # of one user; ours: all requests allowed in a second
REQUESTS_AT_WORK_PER_BACK_END: Final = 128
"""Of a user with an app-admin token, who sends requests for many users; ours."""
WAITING_REQUESTS_PER_BACK_END: Final = 1_024  # of such a user; ours
SOCKETS_PER_USER: Final = 20  # on one process: devices, tabs and some lost connections; ours
CONCURRENT_REQUESTS: Final = 4_096  # of one process; further ones are refused, not queued
WAITING_MILLISECONDS: Final = 500  # average wait of a request; ours: the client still waits too
REQUEST_BODY_BYTES: Final = 256 * 1024  # a JSON body; ours: the largest valid one is far smaller


class ChannelLimits(BaseModel):
    """The limits of channels and of the server that a deployment may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: OrNone = CHANNELS
    channel_organization_bytes: Positive = CHANNEL_ORGANIZATION_BYTES
    channel_custom_data_bytes: Positive = CHANNEL_CUSTOM_DATA_BYTES
    drafts: Positive = DRAFTS
    scheduled_posts: Positive = SCHEDULED_POSTS
    schedule_ahead_seconds: Positive = SCHEDULE_AHEAD_SECONDS
    views_per_call: Annotated[int, Field(ge=1, le=MOST_VIEWS_PER_CALL)] = VIEWS_PER_CALL
    insight_days: Positive = INSIGHT_DAYS
    insight_range_days: Positive = INSIGHT_RANGE_DAYS
    requests_per_second: OrNone = REQUESTS_PER_SECOND  # 0: no limit
    address_requests_per_second: OrNone = ADDRESS_REQUESTS_PER_SECOND  # 0: no limit
    address_sockets: OrNone = ADDRESS_SOCKETS  # 0: no limit
    address_transfers: OrNone = ADDRESS_TRANSFERS  # 0: no limit
    address_connections: OrNone = ADDRESS_CONNECTIONS  # 0: half of the process's connections
    unsent_bytes_per_user: OrNone = UNSENT_BYTES_PER_USER  # 0: no limit
    address_unsent_bytes: OrNone = ADDRESS_UNSENT_BYTES  # 0: no limit
    transfers_per_user: OrNone = TRANSFERS_PER_USER  # 0: no limit
    requests_at_work_per_user: OrNone = REQUESTS_AT_WORK_PER_USER  # 0: no limit
    waiting_requests_per_user: OrNone = WAITING_REQUESTS_PER_USER
    requests_at_work_per_back_end: OrNone = REQUESTS_AT_WORK_PER_BACK_END  # 0: no limit
    waiting_requests_per_back_end: OrNone = WAITING_REQUESTS_PER_BACK_END
    sockets_per_user: Positive = SOCKETS_PER_USER
    concurrent_requests: Positive = CONCURRENT_REQUESTS
    waiting_milliseconds: Positive = WAITING_MILLISECONDS
    request_body_bytes: Positive = REQUEST_BODY_BYTES


class Limits(ChannelLimits, ConversationLimits, GroupLimits):
    """Every limit of a deployment."""
