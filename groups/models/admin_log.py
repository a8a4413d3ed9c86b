"""What the admin log of a channel tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId


class AdminAction(StrEnum):
    """What an entry of a channel's admin log tells."""

    CHANNEL_CREATED = "channel_created"
    INFO_CHANGED = "info_changed"
    SETTINGS_CHANGED = "settings_changed"
    ADMIN_INVITED = "admin_invited"
    INVITATION_REVOKED = "invitation_revoked"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_DECLINED = "invitation_declined"
    ADMIN_ADDED = "admin_added"
    ADMIN_REMOVED = "admin_removed"
    GRANTS_CHANGED = "grants_changed"
    OWNER_CHANGED = "owner_changed"
    SUBSCRIBER_ADDED = "subscriber_added"
    SUBSCRIBERS_IMPORTED = "subscribers_imported"
    SUBSCRIBER_REMOVED = "subscriber_removed"
    SUBSCRIBER_BANNED = "subscriber_banned"
    SUBSCRIBER_UNBANNED = "subscriber_unbanned"
    SUBSCRIBER_MUTED = "subscriber_muted"
    SUBSCRIBER_UNMUTED = "subscriber_unmuted"
    REACTING_BANNED = "reacting_banned"
    REACTING_UNBANNED = "reacting_unbanned"
    JOIN_REQUEST_ACCEPTED = "join_request_accepted"
    JOIN_REQUEST_REFUSED = "join_request_refused"
    NAME_CARD_CHANGED = "name_card_changed"
    POST_EDITED = "post_edited"
    POST_DELETED = "post_deleted"
    POST_PINNED = "post_pinned"
    POST_UNPINNED = "post_unpinned"
    REACTIONS_FROZEN = "reactions_frozen"
    REACTIONS_UNFROZEN = "reactions_unfrozen"
    DRAFT_CHANGED = "draft_changed"
    DRAFT_DELETED = "draft_deleted"
    DRAFT_PUBLISHED = "draft_published"
    ANSWER_EDITED = "answer_edited"
    ANSWER_DELETED = "answer_deleted"


@dataclass(frozen=True, slots=True)
class AdminAct:
    """What somebody did to a channel, as whoever does it tells the admin log.

    `target_id` is a user's id, a post's (`post_id_of`) or a draft's; `before` and `after` are JSON-ready, and cut when
    stored.
    """

    actor: Actor
    action: AdminAction
    target_id: str | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdminLogEntry:
    """An entry of a channel's admin log; ids of later entries are greater. `by_app`: the application's admin did it."""

    entry_id: str
    group_id: GroupId
    action: AdminAction
    actor_id: UserId
    by_app: bool
    target_id: str | None
    before: dict[str, object]
    after: dict[str, object]
    at: datetime
