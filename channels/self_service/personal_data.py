"""Where menus, forms and automatic messages hold the ids of users.

What users choose and answer is in their one-to-one messages, which end with their conversations.
"""

from typing import Final

from groups.kernel.personal_data import Place, Then

PLACES: Final = (
    Place("automatic_jobs", "user_id", Then.DELETE),
    Place("automatic_marks", "_id", Then.DELETE, is_part=True),
    Place("automatic_marks", "user_id", Then.DELETE, at="greeted_at"),
    Place("automatic_messages", "changed_by", Then.RENAME, at="changed_at"),
    Place("forms", "changed_by", Then.RENAME, at="changed_at"),
    Place("menus", "changed_by", Then.RENAME, at="changed_at"),
)
