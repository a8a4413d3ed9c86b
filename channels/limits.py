"""The bounds of channels, and all limits of a deployment in one model (`CHANNELS_LIMIT_<NAME>` sets each)."""

from typing import Final

from pydantic import BaseModel, ConfigDict

from conversations.limits import ConversationLimits
from groups.limits import GroupLimits, OrNone, Positive

CHANNELS: Final = 1_000  # a deployment; founding document, WhatsApp-style, 1
CHANNEL_NAME_BYTES: Final = 150  # UTF-8; founding document, profile fields
CHANNEL_ORGANIZATION_BYTES: Final = 500  # UTF-8; founding document, profile fields
CHANNEL_INTRODUCTION_BYTES: Final = 400  # UTF-8; founding document, profile fields
CHANNEL_CUSTOM_DATA_BYTES: Final = 3_000  # UTF-8; founding document, profile fields
CHANNEL_REACTIONS_PER_USER: Final = (
    1  # a new reaction replaces the old one, as in WhatsApp channels
)
REQUESTS_PER_SECOND: Final = 200  # one user's; reference product, REST calls
CONCURRENT_REQUESTS: Final = (
    4_096  # requests one process works on at once; more are refused, not queued
)
REQUEST_BODY_BYTES: Final = 256 * 1024  # a JSON body; ours: the largest legal one is far below


class ChannelLimits(BaseModel):
    """The limits of this package, and of the server, that a deployment may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: OrNone = CHANNELS
    channel_name_bytes: Positive = CHANNEL_NAME_BYTES
    channel_organization_bytes: Positive = CHANNEL_ORGANIZATION_BYTES
    channel_introduction_bytes: Positive = CHANNEL_INTRODUCTION_BYTES
    channel_custom_data_bytes: Positive = CHANNEL_CUSTOM_DATA_BYTES
    requests_per_second: OrNone = REQUESTS_PER_SECOND  # 0: no limit
    concurrent_requests: Positive = CONCURRENT_REQUESTS
    request_body_bytes: Positive = REQUEST_BODY_BYTES


class Limits(ChannelLimits, ConversationLimits, GroupLimits):
    """Every limit of a deployment."""
