"""The HTTP face of group chat: what it answers (`views`), and the calls on groups, members and messages."""

from groups.routes.groups import GroupRoutes
from groups.routes.members import MemberRoutes
from groups.routes.messages import MessageRoutes, TallyReader
from groups.routes.users import UserRoutes

__all__ = ["GroupRoutes", "MemberRoutes", "MessageRoutes", "TallyReader", "UserRoutes"]
