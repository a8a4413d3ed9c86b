"""Where default channels hold the ids of users."""

from typing import Final

from groups.kernel.personal_data import Place, Then

PLACES: Final = (
    Place("default_channels", "set_by", Then.RENAME, at="since"),
    # The last user whom a sweep has seen; another one follows within a moment.
    Place("default_channels", "after", Then.PASSES),
    Place("default_subscriptions", "_id", Then.DELETE),
)
