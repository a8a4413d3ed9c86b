"""The model of canned replies."""

from datetime import datetime

from groups.kernel.ids import GroupId, UserId
from groups.models import Model


class CannedReply(Model):
    """A text for answers in the inbox. `changed_by` wrote it, or changed it last."""

    channel_id: GroupId
    name: str
    text: str
    changed_at: datetime
    changed_by: UserId
