"""Group chat's things, as services speak of them: frozen, without a trace of the database.

What comes from outside is a pydantic model, validated when made. What a hot path makes by the thousand from our own
documents (members, standings, tallies, heads) is a plain dataclass, which costs a fifth.
"""

from groups.models.admin_log import AdminAct, AdminAction, AdminLogEntry
from groups.models.base import Model
from groups.models.groups import (
    CHANNEL_MARKER,
    Disbanded,
    Group,
    GroupType,
    JoinOption,
    Posting,
    ReactionChoice,
    Visibility,
    type_member_limit,
)
from groups.models.media import Attachment, Media, MediaKind, MediaSize, media_in
from groups.models.members import (
    EFFECTIVE_ROLE_OF,
    AccessContext,
    Departure,
    DepartureReason,
    EffectiveRole,
    Grant,
    Invitation,
    JoinRequest,
    Member,
    MemberCountChange,
    MembershipRow,
    Restriction,
    Role,
)
from groups.models.messages import Content, Kind, Link, Location, Message, Origin, Source
from groups.models.streams import (
    INBOX_PREFIX,
    Head,
    LastMessage,
    Stream,
    inbox_stream_of,
    message_key,
    post_id_of,
    seq_in,
    stream_of,
)
from groups.models.tallies import Tallies, Tally, readers_a_command
from groups.models.users import User

__all__ = [
    "CHANNEL_MARKER",
    "EFFECTIVE_ROLE_OF",
    "INBOX_PREFIX",
    "AccessContext",
    "AdminAct",
    "AdminAction",
    "AdminLogEntry",
    "Attachment",
    "Content",
    "Departure",
    "DepartureReason",
    "Disbanded",
    "EffectiveRole",
    "Grant",
    "Group",
    "GroupType",
    "Head",
    "Invitation",
    "JoinOption",
    "JoinRequest",
    "Kind",
    "LastMessage",
    "Link",
    "Location",
    "Media",
    "MediaKind",
    "MediaSize",
    "Member",
    "MemberCountChange",
    "MembershipRow",
    "Message",
    "Model",
    "Origin",
    "Posting",
    "ReactionChoice",
    "Restriction",
    "Role",
    "Source",
    "Stream",
    "Tallies",
    "Tally",
    "User",
    "Visibility",
    "inbox_stream_of",
    "media_in",
    "message_key",
    "post_id_of",
    "readers_a_command",
    "seq_in",
    "stream_of",
    "type_member_limit",
]
