"""Tags of the threads of a channel's inbox, shared by all who read the inbox.

The caller checks the actor's rights (`channels.service.guard`).

Promises:
    Exact: the limit of a channel's tags, and the list of those in use, hold under any race.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from conversations.errors import ConversationNotFound, InboxTagLimitReached
from conversations.events import ThreadTagged
from conversations.limits import ConversationLimits
from conversations.models import Dialogue
from conversations.service.write_permission import WritePermission
from conversations.store.inbox_tags import InboxTagStore
from conversations.store.threads import ThreadStore
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.models import stream_of
from groups.service.messages.stream import StreamService


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadTagService:
    """Reads and sets tags. A tag exists as long as a thread has it."""

    database: Database
    streams: StreamService
    threads: ThreadStore
    tags: InboxTagStore
    write_permission: WritePermission
    limits: ConversationLimits
    clock: Clock

    async def list_tags(
        self, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[str], str | None]:
        """A page of the tags that threads of the channel have, by their code points. Raises: BadCursor."""

        async def read(*, after: str, limit: int) -> list[str]:
            found = await self.tags.find(channel_id)
            return [tag for tag in found if tag > after][:limit]

        return await page_by_text("inbox tags", cursor, limit, read, lambda tag: tag)

    async def put(self, dialogue: Dialogue, tags: Sequence[str]) -> None:
        """Give the thread these tags in place of those before; repeating it changes nothing.

        Raises: ConversationNotFound; InboxTagLimitReached, for tags that no thread of the channel has.
        Publishes: ThreadTagged, if they change.
        """
        channel_id, user_id = GroupId(dialogue.peer_id), dialogue.user_id
        own, wanted = stream_of(channel_id), tuple(tags)

        async def work(tx: Tx) -> None:
            thread = await self.threads.find_thread(channel_id, user_id, tx)
            if thread is None or own not in await self.streams.heads([own], tx):
                raise ConversationNotFound
            if thread.tags == wanted:
                return
            known = set(await self.tags.find(channel_id, tx))
            unused = {
                tag
                for tag in set(thread.tags) - set(wanted)
                if not await self.threads.has_other(channel_id, user_id, tag, tx)
            }
            used = known - unused | set(wanted)
            limit = self.limits.inbox_tags
            if len(used) > limit and not used <= known:
                raise InboxTagLimitReached(limit=limit)
            await self.tags.put(channel_id, used, tx)
            await self.threads.put_tags(channel_id, user_id, wanted, tx)
            tx.publish(
                ThreadTagged(
                    at=self.clock.now(),
                    channel_id=channel_id,
                    user_id=user_id,
                    staff=await self.write_permission.staff(dialogue, tx),
                    tags=wanted,
                )
            )

        await self.database.run(work, f"inbox tags {channel_id}")
