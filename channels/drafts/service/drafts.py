"""The life of a draft until it is published: kept, listed, changed, thrown away.

Whoever may post in the channel sees its drafts; changing and throwing away those of others takes the rights that doing
so to their posts takes.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from channels.drafts.errors import (
    BadPublishAt,
    DraftLimitReached,
    DraftNotFound,
    DraftPublished,
    ScheduleLimitReached,
)
from channels.drafts.events import DraftScheduled
from channels.drafts.models import Draft, NewDraft
from channels.drafts.service.admin_log import DraftTelling
from channels.drafts.service.publishing import key_of
from channels.drafts.store import DraftStore, Place, place_of
from channels.errors import ChannelNotFound, in_words_of_channels
from channels.limits import ChannelLimits
from channels.service.profiles import ProfileCache
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339, to_milliseconds
from groups.kernel.errors import IdempotencyConflict
from groups.kernel.ids import GroupId, derive_id, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.models import AccessContext, AdminAction, Content, Grant
from groups.service.messages.batch import Prepared
from groups.service.messages.draft_content import DraftContent
from groups.service.messages.forwarding import ForwardService
from groups.service.messages.service import MessageService
from groups.service.write_locks import group_lock

HoldChannel = Callable[[GroupId, Tx], Awaitable[bool]]
"""Writes the channel's document without a change that anyone sees; False where there is none.

Two who add a draft to one channel conflict in it, so the limits are exact, and so does whoever deletes the channel.
"""


class DraftService:
    """The drafts of channels."""

    def __init__(
        self,
        database: Database,
        drafts: DraftStore,
        hold_channel: HoldChannel,
        extras: ProfileCache,
        draft_content: DraftContent,
        forwards: ForwardService,
        messages: MessageService,
        telling: DraftTelling,
        limits: ChannelLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._drafts = drafts
        self._hold_channel = hold_channel
        self._extras = extras
        self._keeping = draft_content
        self._forwards = forwards
        self._messages = messages
        self._telling = telling
        self._limits = limits
        self._clock = clock

    # --- kept, changed --------------------------------------------------------------------------------------------

    async def create(
        self,
        actor: Actor,
        channel_id: GroupId,
        new: NewDraft,
        *,
        publish_at: datetime | None,
        key: str | None,
    ) -> Draft:
        """Keep a draft; with a `publish_at` it publishes itself then. With a `key`, once until it is thrown away.

        Raises: ChannelNotFound; PostingNotAllowed; Muted; Banned; BadPublishAt; whatever refuses the content of a
        post, or a forward; DraftLimitReached, ScheduleLimitReached; IdempotencyConflict; DraftPublished where the
        key's draft is out.
        """
        draft_id = mint_id() if key is None else derive_id(actor.user_id, channel_id, key)
        said = new.model_dump_json() + (rfc3339(publish_at) if publish_at else "")
        digest = hashlib.sha256(said.encode()).hexdigest()[:16] if key else ""

        async def work(tx: Tx) -> Draft:
            await self._writing(actor, channel_id, tx)
            first = await self._drafts.find(channel_id, draft_id, tx) if key else None
            if first is not None:
                if first.digest != digest:
                    raise IdempotencyConflict
                return first
            posted = (
                await self._messages.find_taken(actor, channel_id, key_of(draft_id), tx)
                if key
                else None
            )
            if posted is not None:
                raise DraftPublished(seq=posted.seq)
            now = self._clock.now()
            kept = await self._kept(actor, new, tx)
            draft = Draft(
                channel_id=channel_id,
                draft_id=draft_id,
                author_id=actor.user_id,
                by_app=actor.is_app_admin,
                content=kept.content,
                silent=kept.silent,
                origin=kept.origin,
                publish_at=publish_at and self._checked(publish_at, now),
                created_at=now,
                updated_at=now,
                digest=digest,
            )
            await self._make_room(draft, tx)
            await self._drafts.insert(draft, tx)
            self._announce(draft, now, tx)
            return draft

        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._database.run(work, group_lock(channel_id))

    async def change(
        self,
        actor: Actor,
        channel_id: GroupId,
        draft_id: str,
        *,
        new: NewDraft | None = None,
        publish_at: datetime | None = None,
        sets_publish_at: bool = False,
    ) -> Draft:
        """Change what the draft holds, or its hour (None: it waits for somebody); the actor becomes its author.

        A new hour takes a failure back. Raises: ChannelNotFound; DraftNotFound; PermissionRefused; as `create`.
        """

        async def work(tx: Tx) -> Draft:
            access = await self._writing(actor, channel_id, tx)
            before = await self._drafts.find(channel_id, draft_id, tx)
            if before is None:
                raise DraftNotFound
            self._check_own(actor, access, before, Grant.EDIT_POSTS)
            now = self._clock.now()
            values: dict[str, object] = {
                "author_id": actor.user_id,
                "by_app": actor.is_app_admin,
                "updated_at": now,
                "version": before.version + 1,
            }
            if new is not None:
                kept = await self._kept(actor, new, tx, instead_of=before.content)
                values["content"] = kept.content
                values["silent"] = kept.silent
                values["origin"] = kept.origin
            if sets_publish_at:
                values["publish_at"] = publish_at and self._checked(publish_at, now)
                values["failure"] = None
            draft = before.model_copy(update=values)
            if (draft.publish_at is None) != (before.publish_at is None):
                await self._make_room(draft, tx)
            await self._drafts.replace(draft, tx)
            act = AdminAction.DRAFT_CHANGED
            await self._telling.tell(tx, actor, act, access.group, before, draft)
            if sets_publish_at:
                self._announce(draft, now, tx)
            return draft

        await self._extras.get(channel_id)
        with in_words_of_channels():
            return await self._database.run(work, group_lock(channel_id))

    async def delete(self, actor: Actor, channel_id: GroupId, draft_id: str) -> None:
        """Throw the draft away, which is what cancels a scheduled one.

        Raises: ChannelNotFound; DraftNotFound, also when it was published meanwhile; PermissionRefused;
        PostingNotAllowed; Muted; Banned.
        """

        async def work(tx: Tx) -> None:
            access = await self._writing(actor, channel_id, tx)
            draft = await self._drafts.take(channel_id, draft_id, tx)
            if draft is None:
                raise DraftNotFound
            self._check_own(actor, access, draft, Grant.DELETE_POSTS)
            await self._keeping.release(draft.content, tx)
            act = AdminAction.DRAFT_DELETED
            await self._telling.tell(tx, actor, act, access.group, draft)

        await self._extras.get(channel_id)
        with in_words_of_channels():
            await self._database.run(work, group_lock(channel_id))

    async def _kept(
        self, actor: Actor, new: NewDraft, tx: Tx, *, instead_of: Content | None = None
    ) -> Prepared:
        """What the draft will hold, its uploads counted: what was written, or a copy of what is forwarded."""
        if isinstance(new.content, Content):
            content = await self._keeping.keep(actor, new.content, tx, instead_of=instead_of)
            return Prepared(content, new.silent)
        copy = await self._forwards.taking(actor, new.content, silent=new.silent)(tx)
        await self._keeping.keep_copy(copy, tx, instead_of=instead_of)
        return copy

    def _checked(self, publish_at: datetime, now: datetime) -> datetime:
        latest = now + timedelta(seconds=self._limits.schedule_ahead_seconds)
        if not now < publish_at <= latest:
            raise BadPublishAt(now=rfc3339(now), latest=rfc3339(latest))
        return publish_at

    async def _make_room(self, draft: Draft, tx: Tx) -> None:
        """Refuse the draft where the channel has as many of its kind as it may have."""
        if not await self._hold_channel(draft.channel_id, tx):
            raise ChannelNotFound
        is_scheduled = draft.publish_at is not None
        limit = self._limits.scheduled_posts if is_scheduled else self._limits.drafts
        there_are = await self._drafts.count_up_to(
            limit, draft.channel_id, scheduled=is_scheduled, tx=tx
        )
        if there_are >= limit:
            raise (ScheduleLimitReached if is_scheduled else DraftLimitReached)(limit=limit)

    def _announce(self, draft: Draft, now: datetime, tx: Tx) -> None:
        if draft.due_at is not None:
            tx.publish(DraftScheduled(at=now, channel_id=draft.channel_id, due_at=draft.due_at))

    # --- read -----------------------------------------------------------------------------------------------------

    async def get(self, actor: Actor, channel_id: GroupId, draft_id: str) -> Draft:
        """One draft.

        Raises: ChannelNotFound; DraftNotFound; PostingNotAllowed; Muted; Banned.
        """
        await self._extras.get(channel_id)
        await self._writing(actor, channel_id)
        draft = await self._drafts.find(channel_id, draft_id)
        if draft is None:
            raise DraftNotFound
        return draft

    async def list_drafts(
        self, actor: Actor, channel_id: GroupId, *, scheduled: bool, limit: int, cursor: str | None
    ) -> tuple[list[Draft], str | None]:
        """A page of the scheduled ones by their hour, or of the others by when they were made.

        Raises: ChannelNotFound; PostingNotAllowed; Muted; Banned; BadCursor.
        """
        await self._extras.get(channel_id)
        await self._writing(actor, channel_id)
        name = "scheduled" if scheduled else "drafts"
        key = decode_cursor(name, cursor, int, int, str)
        after = None
        if key is not None:
            after = Place(_instant_of(int(key[0])), _instant_of(int(key[1])), str(key[2]))
        found = await self._drafts.list_of_channel(
            channel_id, scheduled=scheduled, after=after, limit=limit + 1
        )
        page, has_more = cut_page(found, limit, json_size)
        if not has_more:
            return page, None
        last = place_of(page[-1])
        instants = (_milliseconds_of(last.order_at), _milliseconds_of(last.created_at))
        return page, encode_cursor(name, *instants, last.draft_id)

    # --- end ------------------------------------------------------------------------------------------------------

    # --- rights ---------------------------------------------------------------------------------------------------

    async def _writing(
        self, actor: Actor, channel_id: GroupId, tx: Tx | None = None
    ) -> AccessContext:
        with in_words_of_channels():
            return await self._keeping.writing(actor, channel_id, tx)

    @staticmethod
    def _check_own(actor: Actor, access: AccessContext, draft: Draft, grant: Grant) -> None:
        if draft.author_id == actor.user_id:
            return
        refusal = policy.grant_refusal(access, grant)
        if refusal is not None:
            raise refusal


def _milliseconds_of(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant_of(milliseconds: int) -> datetime:
    # A forged cursor may hold any number; it grants nothing, and must break nothing.
    bounded = min(max(milliseconds, 0), 253_402_300_799_000)
    return to_milliseconds(datetime.fromtimestamp(bounded / 1000, UTC))
