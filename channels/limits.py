"""The bounds of channels, and all limits of a deployment in one model (`CHANNELS_LIMIT_<NAME>` sets each)."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from conversations.limits import ConversationLimits
from groups.limits import GroupLimits, OrNone, Positive

CHANNELS: Final = 1_000  # a deployment; founding document, WhatsApp-style, 1
CHANNEL_ORGANIZATION_BYTES: Final = 500  # UTF-8; founding document, profile fields
CHANNEL_CUSTOM_DATA_BYTES: Final = 3_000  # UTF-8; founding document, profile fields
DRAFTS: Final = 100  # not scheduled, of one channel; ours
SCHEDULED_POSTS: Final = 100  # of one channel; ours, as Telegram's of one chat
SCHEDULE_AHEAD_SECONDS: Final = 365 * 24 * 3600  # how far ahead a post may be scheduled; ours
CHANNEL_REACTIONS_PER_USER: Final = (
    1  # a new reaction replaces the old one, as in WhatsApp channels
)
VIEWS_PER_CALL: Final = 100  # posts reported as seen at once; ours: the largest page of posts
MOST_VIEWS_PER_CALL: Final = 1_000  # what it can be set to: a longer list is not even parsed
INSIGHT_DAYS: Final = 400  # how long a channel's days are kept; ours: a year beside the year before
INSIGHT_RANGE_DAYS: Final = 366  # days asked for at once; ours: any year
REQUESTS_PER_SECOND: Final = 200  # one user's; reference product, REST calls
ADDRESS_REQUESTS_PER_SECOND: Final = (
    2_000  # an address's without a valid token; ours: many may share it
)
ADDRESS_SOCKETS: Final = (
    10_000  # an address's on one process, unauthenticated; ours: all come back at once
)
ADDRESS_TRANSFERS: Final = (
    500  # one address's files under way, on one process, without a token; ours
)
ADDRESS_CONNECTIONS: Final = (
    4_000  # one address's on one process, sockets of known users not counted; ours
)
UNSENT_BYTES_PER_USER: Final = 16 * 2**20  # that one user does not read, on one process; ours
ADDRESS_UNSENT_BYTES: Final = 64 * 2**20  # that one address without a token does not read; ours
TRANSFERS_PER_USER: Final = 100  # bodies that one user still sends, on one process; ours
REQUESTS_AT_WORK_PER_USER: Final = 8  # at once, on one process; more of them wait; ours
WAITING_REQUESTS_PER_USER: Final = 200  # for those; ours: all that a user may ask in a second
REQUESTS_AT_WORK_PER_BACK_END: Final = (
    128  # of a user with an app-admin token, who asks for many users; ours
)
WAITING_REQUESTS_PER_BACK_END: Final = 1_024  # for those; ours
SOCKETS_PER_USER: Final = 20  # on one process: his devices and tabs, and some that are lost; ours
CONCURRENT_REQUESTS: Final = (
    4_096  # requests one process works on at once; more are refused, not queued
)
WAITING_MILLISECONDS: Final = (
    500  # what a request may wait on average; ours: who asks is still there
)
REQUEST_BODY_BYTES: Final = 256 * 1024  # a JSON body; ours: the largest legal one is far below


class ChannelLimits(BaseModel):
    """The limits of this package, and of the server, that a deployment may set."""

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
    address_connections: OrNone = ADDRESS_CONNECTIONS  # 0: half of what the process may hold
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
