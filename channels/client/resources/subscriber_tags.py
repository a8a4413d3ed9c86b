"""Tags on subscribers, which only those who manage subscribers see; segments of broadcasts are made of them."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Literal

from channels.client.models import (
    Page,
    SubscriberTag,
    SubscriberTags,
    TagImportProgress,
    TagLine,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, ndjson, parsed
from channels.client.transport import path_of


class TagsOfSubscribers(Resource):
    """`client.subscriber_tags`. For the owner, admins with the grant `manage_subscribers`, and back ends."""

    async def put(self, channel_id: str, user_id: str, tags: Sequence[str]) -> SubscriberTags:
        """Give a subscriber these tags, in place of those before; none takes all away."""
        return await self._call(
            *("PUT", SubscriberTags, "channels", channel_id, "subscribers", user_id, "tags"),
            body={"tags": list(tags)},
        )

    def list(
        self, channel_id: str, *, limit: int | None = None
    ) -> Paged[SubscriberTag, Page[SubscriberTag]]:
        """The tags in use, each with its number of subscribers. `client.channels.subscribers(tag=…)` names them."""
        return self._list(
            Page[SubscriberTag], "channels", channel_id, "subscriber-tags", limit=limit
        )

    async def change_many(
        self,
        channel_id: str,
        lines: Iterable[TagLine] | AsyncIterable[TagLine],
        *,
        results: Literal["all", "refused"] = "all",
    ) -> AsyncIterator[TagImportProgress]:
        """Change the tags of any number of subscribers, and yield the progress after each batch.

        A line has `user_id`, and `tags`, or `add` and `remove`. The last progress has `done` or an `error`. It is not
        retried; the same lines again change nothing for those that were taken.
        """
        async with self._transport.stream(
            "POST",
            path_of("channels", channel_id, "subscriber-tags"),
            query={"results": results},
            data=ndjson(lines),
            headers={"Content-Type": "application/x-ndjson"},
        ) as answers:
            async for line in answers:
                yield parsed(TagImportProgress, line)
