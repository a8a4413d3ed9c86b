"""The HTTP face of channels."""

from channels.routes.channels import ChannelRoutes
from channels.routes.posts import PostRoutes
from channels.routes.subscribers import SubscriberRoutes

__all__ = ["ChannelRoutes", "PostRoutes", "SubscriberRoutes"]
