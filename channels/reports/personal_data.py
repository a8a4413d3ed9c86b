"""Where reports of abuse hold the ids of users.

A case about the user, or about their one-to-one messages, ends with them. A case about a post or comment of theirs
stays, without what it shows of them. Reports that they made are deleted; the case counts them still.
"""

from typing import Final

from groups.kernel.personal_data import Export, Find, Place, Then

PLACES: Final = (
    Place("reports", "_id", Then.DELETE, is_part=True),
    Place(
        "reports",
        "user_id",
        Then.DELETE,
        at="at",
        export=Export(type="report", fields=("reason", "text", "at"), find=Find.WALK),
    ),
    Place("reports", "target_key", Then.DELETE, is_part=True, at="at"),
    Place("report_days", "_id", Then.DELETE),
    Place("report_cases", "target.user_id", Then.DELETE, at="first_at"),
    Place("report_cases", "target_key", Then.DELETE, is_part=True, at="first_at"),
    Place(
        "report_cases",
        "author_id",
        Then.RENAME,
        at="first_at",
        clears={"content": None, "profile": {"name": "", "introduction": "", "face_url": ""}},
    ),
    Place("report_cases", "resolution.by", Then.RENAME, at="resolution.at"),
    Place("report_cases", "resolution.user_id", Then.RENAME, at="resolution.at"),
)
