"""The event of analytics, which is counted in the background."""

from typing import ClassVar, Literal

from channels.analytics.models import Part
from groups.kernel.events import Event
from groups.kernel.ids import GroupId


class DayCounted(Event):
    """The sums of a batch, for the day of its instant.

    `subscribers` is their number after the batch; None where the batch changes no members.
    """

    is_counted: ClassVar[bool] = True

    type: Literal["day.counted"] = "day.counted"
    channel_id: GroupId
    part: Part
    sums: dict[str, int]
    subscribers: int | None = None
