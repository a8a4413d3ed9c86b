"""Where canned replies hold the ids of users."""

from typing import Final

from groups.kernel.personal_data import Place, Then

PLACES: Final = (Place("canned_replies", "changed_by", Then.RENAME, at="changed_at"),)
