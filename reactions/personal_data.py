"""Where reactions and votes hold the ids of users. They are counted, so `reactions.service.withdrawal` removes them."""

from typing import Final

from groups.kernel.personal_data import Place, Then

PLACES: Final = (
    Place("reactions", "_id", Then.DELETE, is_part=True),
    Place("reactions", "message_id", Then.DELETE, is_part=True),
    Place("reactions", "user_id", Then.DELETE, at="at"),
    # Of messages of conversations that end with the user.
    Place("tallies", "_id", Then.DELETE, is_part=True),
)
