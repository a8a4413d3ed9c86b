"""Events of webhooks."""

from typing import Literal

from channels.webhooks.models import DisabledReason
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId


class ChannelWebhookDisabled(Event):
    """The server disabled a webhook of a channel. Its owner and admins with `manage_webhooks` (`staff`) receive it."""

    type: Literal["webhook.disabled"] = "webhook.disabled"
    channel_id: GroupId
    webhook_id: str
    reason: DisabledReason
    staff: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.staff
