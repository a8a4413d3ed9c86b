"""Where conversations, their settings and blocks hold the ids of users."""

from typing import Final

from groups.kernel.personal_data import Export, Place, Then

PLACES: Final = (
    Place("conversations", "_id", Then.DELETE, is_part=True),
    Place(
        "conversations",
        "user_id",
        Then.DELETE,
        export=Export(
            type="conversation_settings",
            fields=(
                *("conversation_id", "read_seq", "muted", "muted_until", "notifications"),
                *("pinned_at", "hidden_at_seq", "groups", "draft", "custom_data", "accept"),
            ),
        ),
    ),
    # The side of somebody who wrote with the user.
    Place("conversations", "conversation_id", Then.DELETE, is_part=True),
    Place("conversation_groups", "_id", Then.DELETE, is_part=True),
    Place(
        "conversation_groups",
        "user_id",
        Then.DELETE,
        at="created_at",
        export=Export(type="conversation_group", fields=("name", "created_at")),
    ),
    Place("conversation_group_guards", "_id", Then.DELETE),
    Place("threads", "_id", Then.DELETE, is_part=True),
    Place("threads", "user_id", Then.DELETE),
    Place("blocks", "_id", Then.DELETE, is_part=True),
    Place(
        "blocks",
        "user_id",
        Then.DELETE,
        at="at",
        export=Export(type="block", fields=("peer_id", "at")),
    ),
    Place("blocks", "peer_id", Then.DELETE, at="at"),
    Place("block_guards", "_id", Then.DELETE),
)
