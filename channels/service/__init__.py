"""The rules of channels at work: the channel's own life, who subscribes and runs it, what it posts."""

from channels.service.channels import ChannelService
from channels.service.extras import ExtrasCache
from channels.service.posts import PostService
from channels.service.subscribers import SubscriberService

__all__ = ["ChannelService", "ExtrasCache", "PostService", "SubscriberService"]
