"""Where devices, presence and pending notifications hold the ids of users."""

from typing import Final

from groups.kernel.personal_data import Export, Place, Then

PLACES: Final = (
    Place("devices", "_id", Then.DELETE, is_part=True),
    Place(
        "devices",
        "user_id",
        Then.DELETE,
        at="created_at",
        export=Export(
            type="device",
            fields=("device_id", "app_id", "name", "locale", "created_at", "confirmed_at"),
        ),
    ),
    # An address that the app chose, and so may be a user's id.
    Place("devices", "target.pushkey", Then.PASSES),
    Place("device_users", "_id", Then.DELETE),
    Place("device_addresses", "user_id", Then.DELETE),
    Place("online_users", "_id", Then.DELETE, is_part=True),
    Place("online_users", "user_id", Then.DELETE),
    # Notifications that were not sent so far: of what the user wrote, and to them.
    Place("push_jobs", "_id", Then.DELETE, is_part=True),
    Place("push_jobs", "stream_id", Then.DELETE, is_part=True),
    Place("push_jobs", "sender_id", Then.DELETE, at="posted_at"),
    Place("push_jobs", "recipient_id", Then.DELETE, at="posted_at"),
    Place("push_jobs", "peer_id", Then.DELETE, at="posted_at"),
    Place("push_jobs", "device_keys", Then.PASSES, is_part=True),
    Place("push_jobs", "cursor", Then.PASSES),
    Place("push_jobs", "start", Then.PASSES),
    Place("push_jobs", "in_flight", Then.PASSES),
    Place("post_figures", "_id", Then.DELETE, is_part=True),
    Place("post_figures", "stream_id", Then.DELETE, is_part=True),
)
