"""Where tags hold the ids of users. They are counted, so `TagWithdrawal` deletes them before."""

from typing import Final

from groups.kernel.personal_data import Export, Place, Then

PLACES: Final = (
    Place("subscriber_tags", "_id", Then.DELETE, is_part=True),
    Place(
        "subscriber_tags",
        "user_id",
        Then.DELETE,
        export=Export(type="subscriber_tags", fields=("channel_id", "tags")),
    ),
)
