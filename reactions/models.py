"""A reaction; the tally of a message is `groups.models.Tally`, since messages are shown with it."""

from datetime import datetime

from groups.kernel.ids import UserId
from groups.models import Model


class Reaction(Model):
    """A user holds an emoji on a message since `at`."""

    message_id: str
    """`groups.models.message_key` of the message."""
    user_id: UserId
    emoji: str
    at: datetime
