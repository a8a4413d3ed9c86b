"""Events for the schedulers of all processes."""

from datetime import datetime
from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId


class DraftScheduled(Event):
    """A draft is to be published at this time. Not sent to clients: nobody sees it before."""

    type: Literal["draft.scheduled"] = "draft.scheduled"
    channel_id: GroupId
    due_at: datetime
