"""Broadcasts: one message to the subscribers of a segment, each in their own thread; and opting out of them."""

from typing_extensions import Unpack

from channels.client.models import (
    Audience,
    Broadcast,
    CreateBroadcast,
    NotReached,
    OptOut,
    Page,
    SegmentBody,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, with_kind


class Broadcasts(Resource):
    """`client.broadcasts`. For the owner, admins who may post and read the inbox, and back ends. All may opt out."""

    async def create(
        self,
        channel_id: str,
        *,
        idempotency_key: str | None = None,
        **broadcast: Unpack[CreateBroadcast],
    ) -> Broadcast:
        """Send to a segment: `create("shop", text="Sale", segment={"all": ["vip"]})`; without one, to all subscribers.

        It is sent in the background; `get` says how far it is. A key of your own, such as the number of a campaign,
        makes a job that runs twice send once.
        """
        return await self._call(
            *("POST", Broadcast, "channels", channel_id, "broadcasts"),
            body=with_kind(broadcast),
            idempotency_key=idempotency_key,
        )

    async def count_audience(self, channel_id: str, segment: SegmentBody | None = None) -> Audience:
        """How many subscribers a segment has now."""
        return await self._call(
            *("POST", Audience, "channels", channel_id, "broadcasts", "audience"),
            body={} if segment is None else {"segment": segment},
        )

    def list(
        self, channel_id: str, *, limit: int | None = None
    ) -> Paged[Broadcast, Page[Broadcast]]:
        """The broadcasts, newest first. They are kept for 90 days after their end."""
        return self._list(Page[Broadcast], "channels", channel_id, "broadcasts", limit=limit)

    async def get(self, channel_id: str, broadcast_id: str) -> Broadcast:
        return await self._get(Broadcast, "channels", channel_id, "broadcasts", broadcast_id)

    async def stop(self, channel_id: str, broadcast_id: str) -> Broadcast:
        """Stop it: after the answer nobody gets it any more. Repeating it changes nothing."""
        path = ("channels", channel_id, "broadcasts", broadcast_id, "stop")
        return await self._call("POST", Broadcast, *path)

    async def resume(self, channel_id: str, broadcast_id: str) -> Broadcast:
        """Go on with one that was stopped or failed; nobody gets it twice."""
        path = ("channels", channel_id, "broadcasts", broadcast_id, "resume")
        return await self._call("POST", Broadcast, *path)

    def not_reached(
        self, channel_id: str, broadcast_id: str, *, limit: int | None = None
    ) -> Paged[NotReached, Page[NotReached]]:
        """The users of the segment who did not get it, by id, with the reason. They are kept for 30 days."""
        path = ("channels", channel_id, "broadcasts", broadcast_id, "not-reached")
        return self._list(Page[NotReached], *path, limit=limit)

    async def opt_out(self, channel_id: str) -> OptOut:
        """Get no broadcasts of the channel any more, as the caller; posts and one-to-one messages go on."""
        return await self._call("PUT", OptOut, "channels", channel_id, "broadcast-opt-out")

    async def opt_in(self, channel_id: str) -> None:
        """Get broadcasts again."""
        await self._do("DELETE", "channels", channel_id, "broadcast-opt-out")

    async def opted_out(self, channel_id: str) -> OptOut:
        """Whether the caller gets no broadcasts of the channel."""
        return await self._get(OptOut, "channels", channel_id, "broadcast-opt-out")
