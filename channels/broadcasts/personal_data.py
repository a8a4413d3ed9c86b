"""Where broadcasts and opt-outs hold the ids of users."""

from typing import Final

from groups.kernel.personal_data import Export, Place, Then

PLACES: Final = (
    Place("broadcasts", "created_by", Then.RENAME, at="created_at"),
    # One that still runs fails: a random id has no right to send.
    Place("broadcasts", "sender_id", Then.RENAME),
    # `BroadcastPositions` moves it to another user before: from a random id, a broadcast would go on anywhere.
    Place("broadcasts", "after", Then.RENAME),
    Place("broadcast_not_reached", "_id", Then.DELETE, is_part=True),
    Place(
        "broadcast_not_reached",
        "user_id",
        Then.DELETE,
        export=Export(
            type="broadcast_not_reached", fields=("channel_id", "broadcast_id", "reason")
        ),
    ),
    Place("broadcast_opt_outs", "_id", Then.DELETE, is_part=True),
    Place(
        "broadcast_opt_outs",
        "user_id",
        Then.DELETE,
        at="since",
        export=Export(type="broadcast_opt_out", fields=("channel_id", "since")),
    ),
)
