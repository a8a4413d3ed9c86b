"""The limits of reports."""

from typing import Annotated, Final

from groups.kernel.limits import About, LimitModel, OrNone, Section, Source

# Bounds that no deployment sets.
REPORT_TEXT_BYTES: Final = 500
REASON_BYTES: Final = 500  # of a suspension or a restriction, and the note of a resolution
TEXTS_SHOWN: Final = 20  # of a case, the newest
RESOLVED_DAYS: Final = 365  # for which a resolved case is kept


class ReportLimits(LimitModel):
    """The limits of reports that a deployment may set."""

    reports_per_day: Annotated[
        OrNone, About(Section.USERS, Source.OURS, "`daily_report_limit_reached`")
    ] = 50
    """Things that one user reports in a day (UTC). Changing one's own report does not count."""
