"""The HTTP face of channels."""

from channels.routes.channels import ChannelRoutes
from channels.routes.dialogue_reactions import DialogueReactionRoutes
from channels.routes.dialogues import DialogueRoutes
from channels.routes.inbox import InboxRoutes
from channels.routes.invitations import InvitationRoutes
from channels.routes.posts import PostRoutes
from channels.routes.running import RunningRoutes
from channels.routes.subscribers import SubscriberRoutes

__all__ = [
    "ChannelRoutes",
    "DialogueReactionRoutes",
    "DialogueRoutes",
    "InboxRoutes",
    "InvitationRoutes",
    "PostRoutes",
    "RunningRoutes",
    "SubscriberRoutes",
]
