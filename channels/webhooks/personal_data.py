"""Where webhooks hold the ids of users. What is stored to be sent is erased with the log of events."""

from typing import Final

from groups.kernel.personal_data import Place, Then

PLACES: Final = (
    Place("webhooks", "created_by", Then.RENAME, at="created_at"),
    Place("webhooks", "given_by", Then.RENAME),
    Place("webhook_queues", "queue", Then.DELETE, is_part=True),
    Place("webhook_queues", "_id", Then.DELETE, is_part=True),
)
