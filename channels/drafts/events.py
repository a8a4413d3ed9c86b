"""What the schedulers of all processes must hear."""

from datetime import datetime
from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId


class DraftScheduled(Event):
    """A draft will publish itself at this instant. Not told over the socket: nobody sees it before."""

    type: Literal["draft.scheduled"] = "draft.scheduled"
    channel_id: GroupId
    due_at: datetime
