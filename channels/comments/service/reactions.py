"""Reactions to comments, by the engine of all reactions; what may be used are the settings of the channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from channels.comments import policy
from channels.comments.errors import CommentNotFound
from channels.comments.events import CommentReacted
from channels.comments.models import PostPlace
from channels.comments.service.places import query_places
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.mongo import Tx
from groups.kernel.text.emoji import Emoji
from groups.models import AccessContext, Group, Message, Tally
from groups.service.access.bulk import BulkAccess
from reactions.service.engine import Asked, ReactionCommand, ReactionEngine, ReactionQueue
from reactions.service.state import ReactionState


@dataclass(slots=True)
class _Command(ReactionCommand):
    """A reader's command."""

    actor: Actor
    place: PostPlace


@dataclass(frozen=True, slots=True)
class _Target:
    """A comment: who may comment may react, and `comment.reacted` is published."""

    place: PostPlace
    group: Group
    post: Message | None
    comment: Message
    accesses: Mapping[Actor, AccessContext]

    @property
    def rules(self) -> Group:
        return self.group

    def refusal(self, command: _Command, state: ReactionState) -> DomainError | None:
        access = self.accesses.get(command.actor)
        if access is None:
            return GroupNotFound()
        if not command.is_adding:
            return policy.reading_refusal(access, self.post)
        return policy.reacting_refusal(access, self.post)

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Insights count reactions to posts only."""

    async def publish(self, state: ReactionState, tally: Tally, now: datetime, tx: Tx) -> None:
        tx.publish(
            CommentReacted(
                at=now,
                channel_id=self.place.channel_id,
                post_seq=self.place.seq,
                seq=self.comment.seq,
                counts=tally.counts,
                total=tally.total,
            )
        )


@dataclass(kw_only=True, slots=True)
class CommentReactions:
    """Reactions to comments."""

    engine: ReactionEngine
    access: BulkAccess
    _queue: ReactionQueue[_Command] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = ReactionQueue(
            engine=self.engine, open_targets=self._open, name="comment reactions"
        )

    async def react(self, actor: Actor, place: PostPlace, seq: int, emoji: Emoji) -> Tally:
        """Add the actor's emoji. A repeat changes and publishes nothing. Publishes: CommentReacted."""
        command = _Command(actor.user_id, emoji, True, actor, place)
        return await self._queue.submit(place.stream_id, seq, command)

    async def unreact(self, actor: Actor, place: PostPlace, seq: int, emoji: Emoji) -> Tally:
        """Remove the actor's emoji. A repeat changes and publishes nothing. Publishes: CommentReacted."""
        command = _Command(actor.user_id, emoji, False, actor, place)
        return await self._queue.submit(place.stream_id, seq, command)

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        actors: dict[PostPlace, set[Actor]] = {}
        for commands in batch.values():
            of_place = actors.setdefault(commands[0].place, set())
            of_place.update(command.actor for command in commands)
        found = query_places(self.access, self.engine.streams, actors)
        await self.engine.database.fetch_together(*found.queries, *asked.queries, tx=tx)
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            place, comment = commands[0].place, asked.message(key)
            accesses = found.accesses(place.channel_id)
            access = next(iter(accesses.values()), None)
            if access is None:
                targets[key] = GroupNotFound
            elif comment is None:
                targets[key] = _missing(access, found.post(place))
            else:
                targets[key] = _Target(place, access.group, found.post(place), comment, accesses)
        return targets

    async def close(self) -> None:
        """Wait until every submitted command is committed or refused."""
        await self._queue.close()


def _missing(access: AccessContext, post: Message | None) -> type[DomainError]:
    """The error of a comment that does not exist: of its post, where that is what is missing."""
    refusal = policy.reading_refusal(access, post)
    return type(refusal) if refusal is not None else CommentNotFound
