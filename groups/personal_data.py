"""Where groups, members, messages, uploads and users hold the ids of users."""

from typing import Final

from groups.kernel.personal_data import Export, Find, Place, Then

PLACES: Final = (
    Place("members", "_id", Then.DELETE, is_part=True),
    Place(
        "members",
        "user_id",
        Then.DELETE,
        at="joined_at",
        export=Export(
            type="membership",
            fields=("group_id", "role", "grants", "joined_at", "name_card", "muted_until"),
        ),
    ),
    Place("join_requests", "_id", Then.DELETE, is_part=True),
    Place(
        "join_requests",
        "user_id",
        Then.DELETE,
        at="requested_at",
        export=Export(type="join_request", fields=("group_id", "text", "requested_at")),
    ),
    Place("admin_invitations", "_id", Then.DELETE, is_part=True),
    Place(
        "admin_invitations",
        "user_id",
        Then.DELETE,
        at="invited_at",
        export=Export(
            type="invitation",
            fields=("group_id", "role", "grants", "invited_at", "declined_at"),
            find=Find.WALK,
        ),
    ),
    Place("admin_invitations", "invited_by", Then.RENAME, at="invited_at"),
    Place("invite_links", "created_by", Then.RENAME, at="created_at"),
    # What the end of a membership leaves of somebody whom nobody knows any more.
    Place("departures", "_id", Then.DELETE, is_part=True),
    Place("departures", "user_id", Then.DELETE, at="at"),
    Place("restrictions", "_id", Then.DELETE, is_part=True),
    Place("restrictions", "group_id", Then.DELETE, is_part=True),
    Place(
        "restrictions",
        "user_id",
        Then.DELETE,
        export=Export(
            type="restriction",
            fields=(
                *("group_id", "banned_at", "left_at", "muted_until", "reacting_banned"),
                *("commenting_banned", "reason", "until"),
            ),
            find=Find.WALK,
        ),
    ),
    Place("restrictions", "banned_by", Then.RENAME, at="banned_at"),
    Place("restrictions", "by", Then.RENAME, at="at"),
    Place("restrictions", "reacting_banned_by", Then.RENAME, at="reacting_banned_at"),
    Place("restrictions", "commenting_banned_by", Then.RENAME, at="commenting_banned_at"),
    Place("admin_log", "actor_id", Then.RENAME, at="at"),
    # What it says of them, such as the text of a post that was deleted, goes with the id.
    Place("admin_log", "target_id", Then.RENAME, at="at", clears={"before": {}, "after": {}}),
    Place(
        "admin_log", "before.author_id", Then.RENAME, at="at", clears={"before": {}, "after": {}}
    ),
    Place("admin_log", "after.author_id", Then.RENAME, at="at", clears={"before": {}, "after": {}}),
    Place("admin_log", "before.owner_id", Then.RENAME, at="at"),
    Place("admin_log", "after.owner_id", Then.RENAME, at="at"),
    Place("admin_log", "before.target.user_id", Then.RENAME, at="at"),
    Place("groups", "owner_id", Then.RENAME),
    Place("groups", "created_by", Then.RENAME, at="created_at"),
    Place("groups", "marking.by", Then.RENAME, at="marking.at"),
    Place("groups", "suspension.by", Then.RENAME, at="suspension.at"),
    Place("streams", "author_id", Then.RENAME),
    Place("streams", "last.sender_id", Then.RENAME, at="last.at"),
    # Conversations of the user are ended before; this finds what the end left when a process was killed in it.
    Place("streams", "_id", Then.DELETE, is_part=True),
    Place("messages", "_id", Then.DELETE, is_part=True),
    Place("messages", "stream_id", Then.DELETE, is_part=True),
    # A signature is the author's name.
    Place("messages", "sender_id", Then.RENAME, at="created_at", clears={"signature": ""}),
    Place("messages", "author_id", Then.RENAME, at="created_at", clears={"signature": ""}),
    Place("messages", "key", Then.RENAME, is_part=True, at="created_at"),
    Place(
        "media",
        "uploader_id",
        Then.RENAME,
        at="created_at",
        export=Export(
            type="upload",
            fields=("_id", "kind", "content_type", "size_bytes", "name", "created_at"),
        ),
    ),
    Place("media_usage", "_id", Then.DELETE, is_part=True),
    Place("repeats", "_id", Then.DELETE, is_part=True),
    Place(
        "users",
        "_id",
        Then.DELETE,
        export=Export(
            type="profile",
            fields=("_id", "name", "face_url", "account_kind", "changed_at"),
            find=Find.FIELD,
        ),
    ),
)
