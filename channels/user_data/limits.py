"""The bounds of exports and deletions."""

from typing import Final

EXPORTS_AT_ONCE: Final = 2
"""Exports that a process sends at the same time; further ones are refused for a moment."""
EXPORT_SECONDS: Final = 60.0
"""The time between the beginnings of two exports of a user on a process; going on by a cursor does not wait."""
PAGE: Final = 200
"""Documents that an export reads at a time."""
WALKED_AT_ONCE: Final = 2_000
"""Documents that a step of a deletion has the database look at."""
LEAST_ROUNDS: Final = 2
"""Rounds over all steps. The first one ends what lagged behind; the second one finds what that wrote meanwhile."""
MOST_ROUNDS: Final = 5
"""Rounds after which a deletion ends although others still write to the user's id."""
OWNED_SHOWN: Final = 100
"""Channels and groups that the refusal of a deletion names."""
RECORD_DAYS: Final = 400
"""How long the record of a deletion is kept. No token lives as long after it."""
