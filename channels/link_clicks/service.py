"""Counts clicks on links of posts, and leads visitors without an account to them.

Reports about any posts share batches, as those about views do. A batch looks up what its callers may read, the posts
and the sketches with one command, adds its users, and writes what changed and the day's counts in one transaction. A
report with nothing new writes nothing.

A visitor without an account counts as what the caller says stands for them (`visitor`), which must tell nobody who they
are.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from channels.analytics.hyperloglog import HyperLogLog, hash_of, new_salt
from channels.analytics.models import PostViews
from channels.analytics.service.days import DayCounter
from channels.link_clicks.errors import ClicksNotCounted, LinkNotFound
from channels.link_clicks.links import link_key, links_of
from channels.link_clicks.models import LinkClicks
from channels.link_clicks.store import ClickStore
from channels.service.guard import ChannelGuard
from groups import policy
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import GroupCommit, OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import Database, Tx
from groups.models import AccessContext, Grant, Message, message_key, stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.messages.stream import StreamService

NOBODY: Final = Actor(UserId(""))
"""A visitor without a token. No user has an empty id, so this is a stranger everywhere."""
CLEANUP_STEP: Final = 1_000  # documents a transaction


@dataclass(frozen=True, slots=True)
class _Click:
    """A click of the actor on a link of a post. `counts_as` is None where it is not to be counted."""

    actor: Actor
    counts_as: str | None
    seq: int
    key: str


@dataclass(kw_only=True, slots=True)
class ClickService:
    """Counts and reads clicks."""

    database: Database
    clicks: ClickStore
    counter: DayCounter
    channel: ChannelGuard
    guard: AccessGuard
    bulk_access: BulkAccess
    streams: StreamService
    clock: Clock
    on_batch: InitVar[OnBatch | None] = None
    _queue: GroupCommit[_Click, str] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = GroupCommit(self.database, self._apply, name="clicks", on_batch=on_batch)

    async def report(self, actor: Actor, channel_id: GroupId, seq: int, url: str) -> None:
        """Count that the actor opened a link of the post. Repeating it changes nothing.

        Users who may read the post may report it; the application itself is not counted. Raises: ChannelNotFound;
        Banned; PostNotFound; LinkNotFound; ClicksNotCounted where the channel does not count.
        """
        counts_as = None if actor.is_app_admin else actor.user_id
        async with self.channel(channel_id) as profile:
            if not profile.count_clicks:
                # Not before it is certain that the actor may know the channel.
                await self.guard.find_message(actor, channel_id, seq)
                raise ClicksNotCounted
            click = _Click(actor, counts_as, seq, link_key(url))
            await self._queue.submit(channel_id, click)

    async def follow(self, channel_id: GroupId, seq: int, key: str, *, visitor: str | None) -> str:
        """The address of a link of a public post, by its key, after counting the visitor; None: do not count them.

        Raises: ChannelNotFound; PostNotFound; LinkNotFound, also where the channel does not count clicks, since then
        nothing leads here.
        """
        async with self.channel(channel_id) as profile:
            if not profile.count_clicks:
                raise LinkNotFound
            if visitor is not None:
                return await self._queue.submit(channel_id, _Click(NOBODY, visitor, seq, key))
            _, message = await self.guard.find_message(NOBODY, channel_id, seq)
            return _link_in(message, key)

    async def of_post(self, actor: Actor, channel_id: GroupId, seq: int) -> list[LinkClicks]:
        """The links of a post with their clicks (owner, admins with `see_insights`).

        Raises: ChannelNotFound; PermissionRefused; PostNotFound.
        """
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
            policy.check(policy.grant_refusal(access, Grant.SEE_INSIGHTS))
            _, message = await self.guard.find_message(actor, channel_id, seq)
            if message.recalled_at is not None:
                raise MessageNotFound
        urls = links_of(message.content)
        key_of = {url: _stored_key(message, link_key(url)) for url in urls}
        counts = await self.clicks.find_counts(key_of.values())
        return [LinkClicks(url, counts.get(key, 0)) for url, key in key_of.items()]

    async def totals(self, messages: Iterable[Message]) -> Mapping[int, int]:
        """The clicks on all links of each of the messages of one stream, by seq; without those that have no links."""
        keys = {
            _stored_key(message, link_key(url)): message.seq
            for message in messages
            for url in links_of(message.content)
        }
        totals = Counter(dict.fromkeys(keys.values(), 0))
        for key, count in (await self.clicks.find_counts(keys)).items():
            totals[keys[key]] += count
        return totals

    async def _apply(
        self, tx: Tx, batch: Mapping[str, Sequence[_Click]]
    ) -> Mapping[str, Sequence[str | DomainError]]:
        reports = {GroupId(key): clicks for key, clicks in batch.items()}
        access = self.bulk_access.query(
            {key: {click.actor.user_id for click in reports[key]} for key in reports}
        )
        posts = {
            message_key(stream_of(key), click.seq) for key in reports for click in reports[key]
        }
        links = {
            join_key(message_key(stream_of(key), click.seq), click.key)
            for key in reports
            for click in reports[key]
        }
        of_posts, of_clicks = self.streams.query_messages(posts), self.clicks.query_clicks(links)
        await self.database.fetch_together(*access.queries, of_posts, of_clicks, tx=tx)
        outcomes: dict[str, Sequence[str | DomainError]] = {}
        clicked: dict[str, set[str]] = {}
        channel_of: dict[str, GroupId] = {}
        for channel_id, of_channel in reports.items():
            accesses = access.accesses_of({click.actor for click in of_channel}, channel_id)
            found: list[str | DomainError] = []
            for click in of_channel:
                message = of_posts.result.get(message_key(stream_of(channel_id), click.seq))
                outcome = _outcome(accesses.get(click.actor), message, click)
                found.append(outcome)
                if isinstance(outcome, str) and click.counts_as is not None:
                    assert message is not None, "else there is no link"
                    key = _stored_key(message, click.key)
                    clicked.setdefault(key, set()).add(click.counts_as)
                    channel_of[key] = channel_id
            outcomes[channel_id] = found
        self._count(clicked, channel_of, of_clicks.result, tx)
        return outcomes

    def _count(
        self,
        clicked: Mapping[str, Collection[str]],
        channel_of: Mapping[str, GroupId],
        kept: Mapping[str, PostViews],
        tx: Tx,
    ) -> None:
        new: dict[str, PostViews] = {}
        changed: dict[str, PostViews] = {}
        more = Counter[GroupId]()
        for key, users in clicked.items():
            clicks = kept.get(key) or PostViews(new_salt(), HyperLogLog())
            added = [clicks.sketch.add(hash_of(user, clicks.salt)) for user in users]
            if any(added):
                more[channel_of[key]] += clicks.recount()
                (changed if key in kept else new)[key] = clicks
        self.clicks.put(new, changed, tx)
        # What is deleted meanwhile must get no document that nothing deletes.
        self.streams.touch_messages({key.rpartition(SEPARATOR)[0] for key in new}, tx)
        now = self.clock.now()
        for channel_id, number in more.items():
            if number:
                self.counter.clicked(channel_id, number, now, tx)

    async def close(self) -> None:
        """Wait until every submitted click is committed or refused."""
        await self._queue.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickCleanup:
    """Deletes the clicks of a channel whose stream has ended, and of messages that end (hooks of `groups`)."""

    clicks: ClickStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`."""
        return await self.clicks.delete_some(stream_id, CLEANUP_STEP, tx)

    async def messages_ended(self, stream_id: StreamId, seqs: Sequence[int], tx: Tx) -> None:
        """As `groups.service.hooks.MessagesEndedHook`."""
        await self.clicks.delete_of([message_key(stream_id, seq) for seq in seqs], tx)


def _stored_key(message: Message, key: str) -> str:
    return join_key(message_key(message.stream_id, message.seq), key)


def _outcome(
    access: AccessContext | None, message: Message | None, click: _Click
) -> str | DomainError:
    """The address that was clicked, or why it cannot have been."""
    if access is None:
        return GroupNotFound()
    refusal = policy.reading_refusal(access.group, access.effective_role)
    if refusal is not None:
        return refusal
    if message is None or click.seq <= policy.history_floor(access):
        return MessageNotFound()
    try:
        return _link_in(message, click.key)
    except LinkNotFound as missing:
        return missing


def _link_in(message: Message, key: str) -> str:
    """The link of the message with this key. Raises: LinkNotFound."""
    for url in links_of(message.content):
        if link_key(url) == key:
            return url
    raise LinkNotFound
