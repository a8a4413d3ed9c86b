"""Erases a deleted user from the log of events and from the deliveries of webhooks.

An event that stays keeps its position in the log and its id, so readers who follow it lose nothing:
    an event about one-to-one messages, comments or settings of the user becomes one of the type `erased`, which every
    reader passes over, as it does with types of newer versions;
    in any other event, such as a post that stays, a random id takes the place of the user's.
Deliveries that name the user are deleted, sent or not. `user.deleted` comes after all of that, and tells back ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from channels.user_data.models import Deletion, Messages
from channels.user_data.store.walk import RawRow, WalkStore, holds, renamed_in
from groups.kernel.ids import UserId

ERASED: Final = "erased"
AT_ONCE: Final = 100  # documents: one of the log may hold hundreds of events
_ABOUT_USERS: Final = (
    *("dialogue.", "comment.", "conversation.", "conversation_group.", "thread.", "block."),
    *("user.", "tokens.", "join.", "report.", "invitation.", "account."),
)
"""How the types of events begin that tell of a user alone, or hold what they wrote in private."""
_OF_MESSAGES: Final = ("message.",)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogErasure:
    """Walks over the two collections."""

    walk: WalkStore

    async def erase_events(self, deletion: Deletion, after: str) -> tuple[str | None, int, int]:
        """Erase the user from the next events; returns where to go on, how many were read, how many changed."""
        assert deletion.user_id is not None, "it is not done"
        needle, changed = deletion.user_id.encode(), 0
        rows = await self.walk.next_raw("events", after, AT_ONCE)
        for row in rows:
            if needle not in row.raw:
                continue
            document = row.decode()
            in_keys = any(deletion.user_id in key for key in document.get("keys", ()))
            if in_keys or holds(document, deletion.user_id):
                events, heads = _erased(document, deletion)
                await self.walk.put_events(row.key, events, heads)
                changed += 1
        return self._after(rows, changed)

    async def delete_deliveries(
        self, deletion: Deletion, after: str
    ) -> tuple[str | None, int, int]:
        """Delete the next deliveries that name the user; returns as `erase_events`."""
        assert deletion.user_id is not None, "it is not done"
        rows = await self.walk.next_raw("webhook_deliveries", after, AT_ONCE)
        needle = deletion.user_id.encode()
        in_body = orjson.dumps(deletion.user_id)
        doomed = []
        for row in rows:
            if needle in row.raw and (in_body in row.raw or holds(row.decode(), deletion.user_id)):
                doomed.append(row.key)
        if doomed:
            await self.walk.delete("webhook_deliveries", doomed)
        return self._after(rows, len(doomed))

    def _after(self, rows: Sequence[RawRow], changed: int) -> tuple[str | None, int, int]:
        if len(rows) < AT_ONCE:
            return None, len(rows), changed
        return self.walk.position_of(rows[-1].key), len(rows), changed


def _erased(document: Mapping[str, Any], deletion: Deletion) -> tuple[list[Any], list[Any] | None]:
    """The events of a document of the log without the user, and their heads."""
    user_id, alias = deletion.user_id, deletion.alias
    assert user_id is not None, "it is not done"
    stored, heads = document["events"], document.get("heads")
    events: list[Any] = []
    new_heads: list[Any] = []
    for index, event in enumerate(stored):
        head = heads[index] if heads is not None and index < len(heads) else None
        if not holds(event, user_id):
            events.append(event)
            new_heads.append(renamed_in(head, user_id, alias))
        elif _is_private(event, user_id, deletion.messages):
            events.append({"type": ERASED, "at": event["at"]})
            new_heads.append([ERASED])
        else:
            renamed = renamed_in(event, user_id, alias)
            message = renamed.get("message")
            if message is not None and alias in (message["sender_id"], message.get("author_id")):
                message["signature"] = ""
            events.append(renamed)
            new_heads.append(renamed_in(head, user_id, alias))
    return events, new_heads if heads is not None else None


def _is_private(event: Mapping[str, Any], user_id: UserId, messages: Messages) -> bool:
    kind = event["type"]
    if kind.startswith(_ABOUT_USERS):
        return True
    message = event.get("message")
    return (
        kind.startswith(_OF_MESSAGES)
        and messages is Messages.DELETE
        and message is not None
        and message["sender_id"] == user_id
    )
