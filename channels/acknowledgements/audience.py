"""Finds those who acknowledged a message already, among users whom a process is about to remind.

Nothing is written for each recipient of a reminder: it is one event. The process of a socket, and the worker that
sends notifications, read their own users page by page, and ask here who of each page is not to be reminded.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from groups.kernel.ids import StreamId, UserId
from groups.models import message_key
from reactions.models import ACKNOWLEDGED
from reactions.service.engine import ReactionEngine

PAGE: Final = 1_000
"""Users of one command."""


@dataclass(frozen=True, slots=True)
class AcknowledgementReader:
    """Reads acknowledgements of many users. It checks nobody's rights."""

    engine: ReactionEngine

    async def acknowledged_among(
        self, stream_id: StreamId, seq: int, user_ids: Collection[UserId]
    ) -> set[UserId]:
        """Return those of the users who acknowledged the message, with one command for each `PAGE` of them."""
        message_id, users = message_key(stream_id, seq), list(user_ids)
        found = set[UserId]()
        for start in range(0, len(users), PAGE):
            page = users[start : start + PAGE]
            query = self.engine.store.query_batch({message_id: page})
            await self.engine.database.fetch_together(*query.queries)
            held = query.held_on(message_id, page, prefix=ACKNOWLEDGED)
            found.update(user_id for user_id, texts in held.items() if texts)
        return found
