"""The rules of channels at work: the channel's own life, who subscribes and runs it, what it posts."""

from channels.service.channels import ChannelService
from channels.service.desk import ChannelDesk
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.extras import ExtrasCache
from channels.service.inbox import ChannelInbox
from channels.service.posts import PostService
from channels.service.running import RunningService
from channels.service.subscribers import SubscriberService
from channels.service.subscriptions import Subscribed, Subscriptions
from channels.service.timeline import TimelineService
from channels.service.verification import Verification

__all__ = [
    "ChannelDesk",
    "ChannelInbox",
    "ChannelService",
    "DialogueReactions",
    "ExtrasCache",
    "PostService",
    "RunningService",
    "Subscribed",
    "SubscriberService",
    "Subscriptions",
    "TimelineService",
    "Verification",
]
