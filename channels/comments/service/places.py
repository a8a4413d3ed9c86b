"""Reads the posts and commenters of a transaction, with one command for any number of posts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from channels.comments.models import PostPlace
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import BatchedQuery
from groups.models import AccessContext, Message
from groups.service.access.bulk import AccessQuery, BulkAccess
from groups.service.messages.stream import StreamService


@dataclass(frozen=True, slots=True)
class PlacesQuery:
    """Posts, and what actors may do in their channels."""

    actors: Mapping[GroupId, Collection[Actor]]
    of_accesses: AccessQuery
    of_posts: BatchedQuery[dict[str, Message]]

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """The queries to send together with others."""
        return *self.of_accesses.queries, self.of_posts

    def accesses(self, channel_id: GroupId) -> dict[Actor, AccessContext]:
        """The access of the actors to the channel, without those who may not see it."""
        return self.of_accesses.accesses_of(self.actors[channel_id], channel_id)

    def post(self, place: PostPlace) -> Message | None:
        """The post, if it exists."""
        return self.of_posts.result.get(place.message_id)


def query_places(
    access: BulkAccess, streams: StreamService, actors: Mapping[PostPlace, Collection[Actor]]
) -> PlacesQuery:
    """Prepare the query for these posts, and the actors who do something to the comments of each."""
    by_channel: dict[GroupId, set[Actor]] = {}
    for place, of_place in actors.items():
        by_channel.setdefault(place.channel_id, set()).update(of_place)
    return PlacesQuery(
        by_channel,
        access.query({i: {actor.user_id for actor in of} for i, of in by_channel.items()}),
        streams.query_messages([place.message_id for place in actors]),
    )
