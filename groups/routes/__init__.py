"""The HTTP face of group chat: what it answers (`views`, `rendering`), the calls on groups, members and messages."""

from groups.routes.groups import GroupRoutes
from groups.routes.media import MediaRoutes
from groups.routes.members import MemberRoutes
from groups.routes.messages import MessageRoutes
from groups.routes.rendering import MessageRendering
from groups.routes.users import UserRoutes

__all__ = [
    "GroupRoutes",
    "MediaRoutes",
    "MemberRoutes",
    "MessageRendering",
    "MessageRoutes",
    "UserRoutes",
]
