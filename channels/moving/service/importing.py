"""Imports a checked archive as a new channel.

Promises:
    All or nothing: everything is written as the remains of a group that does not exist (`groups.store.groups`,
    `claim_import`), which nobody sees. The last transaction makes the channel out of it, and publishes its events.
    Whatever ends the import before that, its claim ends too, and the cleanup of any server, or the next import of the
    same id, deletes what is there; then the next import begins anew.
    Exact: counts, tallies, heads and bytes are derived from what is written, so `channels verify` finds nothing.
    Bounded memory: lines go to the database in batches. What grows with the channel are 150 bytes for each upload.

After the last transaction the members are announced in batches, as an import of subscribers does. A crash in between
leaves members whose open sockets learn of the channel when they connect again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from channels.comments.models import PostPlace
from channels.limits import Limits
from channels.models import ChannelProfile
from channels.moving.archive import ArchiveReader
from channels.moving.errors import MovingRefused
from channels.moving.lines import content_from_json
from channels.moving.models import (
    AcknowledgementLine,
    ChannelLine,
    DraftLine,
    Header,
    LineModel,
    MemberLine,
    MessageLine,
    PressLine,
    ReactionLine,
    RestrictionLine,
    TableLine,
    VoteLine,
)
from channels.moving.service.checking import Checked, document_of, group_of, read_lines
from channels.moving.store.writing import (
    ImportStore,
    comment_stream_document,
    draft_document,
    ended_document,
    message_document,
    reaction_document,
    row_document,
    settings_document,
    stream_document,
    tag_counts_document,
    tags_document,
    tally_document,
)
from channels.moving.tables import TABLES
from groups.errors import BadMedia, MediaTooLarge
from groups.events import MembersJoined, profile_of
from groups.kernel.actor import Actor
from groups.kernel.clock import rfc3339
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId, UserId, mint_id
from groups.kernel.mongo import Database, Document, Tx
from groups.models import (
    AdminAct,
    AdminAction,
    Attachment,
    Content,
    Group,
    Media,
    Member,
    Message,
    Restriction,
    Role,
    message_key,
    stream_of,
)
from groups.service.accounts import Accounts
from groups.service.admin_log import AdminLog
from groups.service.lifecycle.cleanup import CleanupService
from groups.service.media.service import MediaService, media_ids_of
from groups.service.membership.capacity import is_near_limit
from groups.service.messages.posting import kept_days
from groups.service.stores import GroupStores
from reactions.models import ACKNOWLEDGED, vote_text

IMPORTER: Final = Actor(UserId("channels-import"), is_app_admin=True)
"""The actor in the admin log."""
LEASE_SECONDS: Final = 30.0
RENEW_SECONDS: Final = 5.0
BATCH: Final = 1_000
"""Documents of a transaction."""
MESSAGES_A_BATCH: Final = 200
"""Messages of a transaction: of 12 KiB each, a few megabytes."""
ANNOUNCED: Final = 1_000
"""Members of one event."""

CountChannel = Callable[[Tx], Awaitable[bool]]
"""Counts one channel more of the deployment; False where there is no room."""
InsertProfile = Callable[[ChannelProfile, Tx], Awaitable[None]]

FollowAutomaticMessages = Callable[[GroupId, Tx], Awaitable[None]]
"""Has what a channel does by itself begin."""

_TABLES: Final = {table.line: table for table in TABLES}


@dataclass(slots=True)
class Imported:
    """The outcome of an import."""

    channel_id: GroupId
    counts: Counter[str] = field(default_factory=Counter)
    """The numbers of lines that were written, by their type."""
    uploads: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Members who could not be taken over, by reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportService:
    """Imports channels."""

    database: Database
    stores: GroupStores
    cleanup: CleanupService
    media: MediaService
    accounts: Accounts
    admin_log: AdminLog
    store: ImportStore
    count_channel: CountChannel
    insert_profile: InsertProfile
    follow_automatic_messages: FollowAutomaticMessages
    limits: Limits

    async def is_free(self, channel_id: GroupId) -> bool:
        """Whether no channel or group has the id."""
        return await self.stores.groups.find_group(channel_id) is None

    async def run(
        self,
        archive: ArchiveReader,
        checked: Checked,
        channel_id: GroupId,
        owner_id: UserId | None,
        *,
        is_foreign: bool = False,
    ) -> Imported:
        """Import the archive, which `Checker` has checked, under this id.

        `owner_id`: the owner, in place of the archive's, who becomes an admin. `is_foreign`: another
        program's uploads are in the archive, which it does not describe as we do. Raises: MovingRefused.
        """
        owner = owner_id or checked.owner_id
        if owner is None:
            raise MovingRefused("no_owner", "The file names no owner. Name one with --owner.")
        async with self._claimed(channel_id) as holder:
            work = _Import(self, archive, checked, channel_id, owner, holder, is_foreign=is_foreign)
            try:
                imported = await work.run()
            except DomainError as error:
                raise MovingRefused("limit_reached", error.detail) from error
        await self._announce(work.group, work.profile)
        return imported

    @asynccontextmanager
    async def _claimed(self, channel_id: GroupId) -> AsyncIterator[str]:
        """Hold the id; at the end of a failed import, what it wrote is deleted."""
        holder = mint_id()
        if not await self._claim(channel_id, holder):
            # The remains of a deleted channel, or of an import that ended in its middle.
            await self.cleanup.clear(channel_id)
            if not await self._claim(channel_id, holder):
                if await self.is_free(channel_id):
                    raise MovingRefused(
                        "import_running",
                        f"Another import of {channel_id} runs, or ended less than {LEASE_SECONDS:.0f} seconds ago."
                        " Try again then.",
                    )
                raise MovingRefused(
                    "channel_exists",
                    f"{channel_id} exists. Import under another id with --as, or delete the channel before.",
                )
        renewing = asyncio.create_task(self._keep(channel_id, holder), name="import-lease")
        try:
            yield holder
        except BaseException:
            renewing.cancel()
            await self.database.run(
                lambda tx: self.stores.groups.drop_claim(channel_id, holder, tx)
            )
            await self.cleanup.clear(channel_id)
            raise
        finally:
            renewing.cancel()

    async def _claim(self, channel_id: GroupId, holder: str) -> bool:
        return await self.database.run(
            lambda tx: self.stores.groups.claim_import(channel_id, holder, self.until(), tx)
        )

    def until(self) -> Any:
        """The end of a lease that begins now."""
        return self.database.clock.now() + timedelta(seconds=LEASE_SECONDS)

    async def _keep(self, channel_id: GroupId, holder: str) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self.database.run(
                lambda tx: self.stores.groups.hold_import(channel_id, holder, self.until(), tx)
            )

    async def hold(self, channel_id: GroupId, holder: str, tx: Tx) -> None:
        """Write the claim in a transaction of the import. Raises: MovingRefused where it was lost."""
        if not await self.stores.groups.hold_import(channel_id, holder, self.until(), tx):
            raise MovingRefused(
                "import_lost", "The import stood still for too long, and was deleted; begin again."
            )

    async def _announce(self, group: Group, profile: ChannelProfile) -> None:
        after = ""
        while users := await self.store.list_user_ids(group.group_id, after=after, limit=ANNOUNCED):
            after = users[-1]
            new = tuple(user for user in users if user != group.owner_id)
            if new:
                event = _joined(group, profile, new, self.database.clock.now())
                await self.database.run(_publishing(event))


def _publishing(event: MembersJoined) -> Callable[[Tx], Awaitable[None]]:
    async def publish(tx: Tx) -> None:
        tx.publish(event)

    return publish


def _joined(
    group: Group, profile: ChannelProfile, users: tuple[UserId, ...], at: Any
) -> MembersJoined:
    more = {
        "organization": profile.organization,
        "custom_data": profile.custom_data,
        "created_at": rfc3339(profile.created_at),
    }
    return MembersJoined(
        at=at,
        group_id=group.group_id,
        is_channel=True,
        user_ids=users,
        member_count=group.member_count,
        announce=False,
        by_others=True,
        profile=profile_of(group, more),
    )


@dataclass(slots=True)
class _Open:
    """A message whose reactions, and comments, are being read."""

    message: Message
    counts: Counter[str] = field(default_factory=Counter)
    votes: Counter[str] = field(default_factory=Counter)
    voters: int = 0
    voter: UserId | None = None
    acknowledged: int = 0
    reminded_at: datetime | None = None


class _Import:
    """One import under way."""

    def __init__(
        self,
        service: ImportService,
        archive: ArchiveReader,
        checked: Checked,
        channel_id: GroupId,
        owner_id: UserId,
        holder: str,
        *,
        is_foreign: bool,
    ) -> None:
        self._service = service
        self._archive = archive
        self._checked = checked
        self._channel_id = channel_id
        self._owner_id = owner_id
        self._holder = holder
        self._is_foreign = is_foreign
        self._documents: dict[str, list[Document]] = {}
        self._waiting = 0
        self._uses: list[str] = []
        self._members: list[Member] = []
        self._read: dict[UserId, int] = {}
        self._restrictions: list[Restriction] = []
        self._uploaded: dict[str, Media] = {}
        self._post: _Open | None = None
        self._comment: _Open | None = None
        self._last_comment: Message | None = None
        self._live_comments = 0
        self._comment_bytes = 0
        self._has_owner = False
        self._scheduled: list[Document] = []
        self._scheduled_uses: list[str] = []
        self._last_rows: dict[str, list[Document]] = {}
        """The rows of tables that are written with the last transaction."""
        self._tags: dict[UserId, tuple[str, ...]] = {}
        self._tagged: Counter[str] = Counter()
        """The members by tag, without those who are left out."""
        self._newest: Message | None = None
        self._pins: list[tuple[Any, int]] = []
        self._media_bytes = 0
        self._member_count = 0
        self.imported = Imported(channel_id)
        values = {"channel_id": channel_id, "menu_version": checked.menu_version}
        self.profile = checked.profile.model_copy(update=values)
        self.group = group_of(checked.channel, channel_id, owner_id)

    async def run(self) -> Imported:
        """Write everything, then make the channel of it."""
        if (
            self._checked.owner_id not in {None, self._owner_id}
            and self._checked.admins + 1 > self._service.limits.admins
        ):
            raise MovingRefused(
                "limit_reached", "The owner in the file would be one admin too many (LIMIT_ADMINS)."
            )
        are_members_over = False
        for _, line in read_lines(self._archive):
            if not are_members_over and not isinstance(line, Header | ChannelLine | MemberLine):
                are_members_over = True
                await self._end_members()
            await self._take(line)
        await self._write_restrictions()
        await self._close_post()
        await self._flush()
        await self._appear()
        return self.imported

    async def _take(self, line: LineModel) -> None:
        match line:
            case MemberLine():
                await self._take_member(line)
            case RestrictionLine():
                await self._take_restriction(line)
            case MessageLine(type="post"):
                await self._take_post(line)
            case MessageLine():
                await self._take_comment(line)
            case ReactionLine() | VoteLine() | PressLine() | AcknowledgementLine():
                await self._take_reaction(line)
            case DraftLine():
                await self._close_post()
                await self._take_draft(line)
            case TableLine():
                await self._close_post()
                document = document_of(_TABLES[line.type], line, self._channel_id)
                table = _TABLES[line.type]
                row = row_document(self._channel_id, table.key, document)
                if table.is_last:
                    self._last_rows.setdefault(table.collection, []).append(row)
                else:
                    await self._add(table.collection, row)
            case _:
                return
        self.imported.counts[line.type] += 1

    # --- batches ------------------------------------------------------------------------------------------------------

    async def _add(self, collection: str, *documents: Document, weight: int = 1) -> None:
        self._documents.setdefault(collection, []).extend(documents)
        self._waiting += weight * len(documents)
        if self._waiting >= BATCH:
            await self._flush()

    async def _flush(self) -> None:
        documents, uses = self._documents, self._uses
        self._documents, self._uses, self._waiting = {}, [], 0
        if documents or uses:
            await self._service.database.run(lambda tx: self._write(documents, uses, tx))

    async def _write(
        self, documents: Mapping[str, list[Document]], uses: list[str], tx: Tx
    ) -> None:
        await self._service.hold(self._channel_id, self._holder, tx)
        await self._service.store.insert(documents, tx)
        if uses:
            await self._service.stores.media.use(uses, tx)

    # --- members ------------------------------------------------------------------------------------------------------

    async def _take_member(self, line: MemberLine) -> None:
        role, grants = line.role, line.grants
        if line.user_id == self._owner_id:
            role, grants = Role.OWNER, None
        elif role is Role.OWNER:
            role = Role.ADMIN
        member = Member(
            group_id=self._channel_id,
            user_id=line.user_id,
            role=role,
            joined_at=line.joined_at,
            joined_seq=line.joined_seq,
            muted_until=line.muted_until,
            name_card=line.name_card,
            grants=frozenset(grants) if grants is not None else None,
            has_agreed=line.has_agreed,
        )
        self._members.append(member)
        if line.read_seq:
            self._read[line.user_id] = line.read_seq
        if line.tags:
            self._tags[line.user_id] = line.tags
        if role is Role.OWNER:
            self._has_owner = True
        if len(self._members) == BATCH:
            await self._write_members()

    async def _end_members(self) -> None:
        if not self._has_owner:
            now = self._service.database.clock.now()
            head = self._checked.head_seq
            self._members.append(Member(self._channel_id, self._owner_id, Role.OWNER, now, head))
        await self._write_members()

    async def _write_members(self) -> None:
        members, read, tags = self._members, self._read, self._tags
        self._members, self._read, self._tags = [], {}, {}
        refused, tagged = await self._service.database.run(
            lambda tx: self._write_some_members(members, read, tags, tx)
        )
        self._member_count += len(members) - refused.total()
        self._tagged.update(tagged)
        self.imported.left_out += refused

    async def _write_some_members(
        self,
        members: list[Member],
        read: Mapping[UserId, int],
        tags: Mapping[UserId, tuple[str, ...]],
        tx: Tx,
    ) -> tuple[Counter[str], Counter[str]]:
        """Write those of the members who may be in one more group.

        Returns the number of the others by reason, and that of those who were written by tag.
        """
        service = self._service
        await service.hold(self._channel_id, self._holder, tx)
        users = [member.user_id for member in members]
        of_all = service.stores.members.query_group_counts(users)
        of_added = service.stores.members.query_added_counts(users)
        await service.database.fetch_together(of_all, of_added, tx=tx)
        limit, kept, near = service.limits.groups_per_user, [], []
        refused: Counter[str] = Counter()
        for member in members:
            user = member.user_id
            held = of_all.result.get(user, 0) - of_added.result.get(user, 0)
            is_staff = member.role is not Role.MEMBER
            if member.has_agreed and held >= limit:
                if is_staff:
                    raise MovingRefused(
                        "limit_reached", f"{user} is in {held} groups (LIMIT_GROUPS_PER_USER)."
                    )
                refused["in too many groups"] += 1
            elif not is_staff and service.accounts.is_business(user):
                refused["business accounts"] += 1
            else:
                kept.append(member)
                if is_near_limit(held, limit):
                    near.append(user)
        service.stores.members.insert_many(kept, tx)
        service.stores.users.touch_many(near, tx)
        settings = [
            settings_document(self._channel_id, member.user_id, read[member.user_id])
            for member in kept
            if member.user_id in read
        ]
        tagged = [
            tags_document(member, tags[member.user_id]) for member in kept if member.user_id in tags
        ]
        await service.store.insert({"conversations": settings, "subscriber_tags": tagged}, tx)
        return refused, Counter(tag for row in tagged for tag in row["tags"])

    async def _take_restriction(self, line: RestrictionLine) -> None:
        values = line.model_dump(mode="python", exclude={"type"})
        self._restrictions.append(Restriction(group_id=self._channel_id, **values))
        if len(self._restrictions) == BATCH:
            await self._write_restrictions()

    async def _write_restrictions(self) -> None:
        restrictions, self._restrictions = self._restrictions, []

        async def write(tx: Tx) -> None:
            await self._service.hold(self._channel_id, self._holder, tx)
            self._service.stores.restrictions.put_many(restrictions, tx)

        if restrictions:
            await self._service.database.run(write)

    # --- messages -----------------------------------------------------------------------------------------------------

    async def _take_post(self, line: MessageLine) -> None:
        await self._write_restrictions()
        await self._close_post()
        message = await self._message(line, stream_of(self._channel_id))
        self._post = _Open(message, reminded_at=line.reminded_at)
        self._newest = message
        if message.pinned_at is not None:
            self._pins.append((message.pinned_at, message.seq))
        if message.content is not None:
            self._media_bytes += message.content.media_bytes

    async def _take_comment(self, line: MessageLine) -> None:
        assert line.post_seq is not None  # checked
        await self._close_comment()
        place = PostPlace(self._channel_id, line.post_seq)
        if line.seq == 1:
            # Before the first comment: by this record the cleanup finds what there is.
            record = comment_stream_document(place.stream_id, self._channel_id, line.post_seq)
            await self._add("comment_streams", record)
        message = await self._message(line, place.stream_id)
        self._comment = _Open(message)
        if message.content is not None:
            self._live_comments += 1
            self._comment_bytes += message.content.media_bytes

    async def _message(self, line: MessageLine, stream_id: StreamId) -> Message:
        content = None
        if line.content is not None:
            content = await self._content(line.content)
        return Message(
            stream_id=stream_id,
            seq=line.seq,
            sender_id=line.sender_id or UserId(self._channel_id),
            content=content,
            created_at=line.created_at,
            edited_at=line.edited_at,
            recalled_at=line.recalled_at,
            silent=line.silent,
            signature=line.signature,
            origin=line.origin,
            quoted_seq=line.quoted_seq,
            pinned_at=line.pinned_at,
            reactions_frozen=line.reactions_frozen,
            comments_frozen=line.comments_frozen,
            views=line.views,
            author_id=line.author_id,
            member_count=line.member_count,
        )

    async def _take_reaction(
        self, line: ReactionLine | VoteLine | PressLine | AcknowledgementLine
    ) -> None:
        message = self._comment if line.type == "comment_reaction" else self._post
        assert message is not None  # checked
        if isinstance(line, AcknowledgementLine):
            text = ACKNOWLEDGED
            message.acknowledged += 1
        elif not isinstance(line, ReactionLine):
            number = line.option if isinstance(line, VoteLine) else line.button
            text = vote_text(number)
            message.votes[str(number)] += 1
            if message.voter != line.user_id:
                message.voter, message.voters = line.user_id, message.voters + 1
        else:
            text = line.emoji
            message.counts[text] += 1
        key = message_key(message.message.stream_id, message.message.seq)
        await self._add("reactions", reaction_document(key, line.user_id, text, line.at))

    async def _close_comment(self) -> None:
        comment, self._comment = self._comment, None
        if comment is not None:
            await self._close(comment, comment.message)
            self._last_comment = comment.message

    async def _close_post(self) -> None:
        await self._close_comment()
        post, self._post = self._post, None
        if post is None:
            return
        message, newest = post.message, self._last_comment
        if newest is not None:
            message = message.model_copy(update={"comments": self._live_comments})
            place = PostPlace(self._channel_id, message.seq)
            stream = stream_document(
                place.stream_id, newest, is_channel=False, media_bytes=self._comment_bytes
            )
            await self._add("streams", stream)
        self._last_comment, self._live_comments, self._comment_bytes = None, 0, 0
        await self._close(post, message)

    async def _close(self, one: _Open, message: Message) -> None:
        if one.counts or one.votes or one.acknowledged or one.reminded_at is not None:
            tally = tally_document(
                message_key(message.stream_id, message.seq),
                one.counts,
                one.votes,
                one.voters,
                one.acknowledged,
                one.reminded_at,
            )
            await self._add("tallies", tally)
        self._uses += media_ids_of(message.content)
        # A key as the server makes it: no caller's key is like it.
        document = message_document(message, f"s:{mint_id()}", self._service.database.clock.now())
        await self._add("messages", document, weight=max(1, BATCH // MESSAGES_A_BATCH))

    async def _take_draft(self, line: DraftLine) -> None:
        content = await self._content(line.content)
        values = line.model_dump(mode="python", exclude={"type", "content"})
        values["content"] = content.to_stored()
        document = draft_document(self._channel_id, values)
        if document["is_scheduled"]:
            # With the last transaction: the scheduler must not find it before there is a channel to publish it in.
            self._scheduled.append(document)
            self._scheduled_uses += media_ids_of(content)
        else:
            self._uses += media_ids_of(content)
            await self._add("drafts", document)

    # --- uploads ------------------------------------------------------------------------------------------------------

    async def _content(self, values: Mapping[str, Any]) -> Content:
        content = content_from_json(values)
        if not content.media:
            return content
        ids: dict[str, str] = {}
        described: list[Attachment] = []
        for one in content.media:
            media = await self._upload(one.media_id, one.name)
            ids[one.media_id] = media.media_id
            if self._is_foreign:
                described.append(media.attachment.model_copy(update={"name": one.name}))
                continue
            if media.kind is not one.kind or media.size_bytes != one.size_bytes:
                raise MovingRefused(
                    "bad_media",
                    f"media/{one.media_id} is of kind {media.kind.value} and has {media.size_bytes} bytes, not as its"
                    " message says.",
                )
            described.append(one.model_copy(update={"media_id": media.media_id}))
        links = content_from_json(values, ids).links
        return content.model_copy(update={"media": tuple(described), "links": links})

    async def _upload_picture(self) -> Media | None:
        digest = self._checked.channel.picture
        return await self._upload(digest, "") if digest is not None else None

    async def _upload(self, digest: str, name: str) -> Media:
        known = self._uploaded.get(digest)
        if known is not None:
            return known
        actor = Actor(self._owner_id, is_app_admin=True)
        try:
            media = await self._service.media.upload(
                actor,
                _in_steps(self._archive.read_media(digest)),
                length=self._archive.media[digest],
                name=name,
                is_redrawn=True,
            )
        except (BadMedia, MediaTooLarge) as error:
            raise MovingRefused("bad_media", f"media/{digest}: {error.detail}") from error
        self._uploaded[digest] = media
        self.imported.uploads += 1
        return media

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _appear(self) -> None:
        picture = await self._upload_picture()
        face_url = f"/v1/media/{picture.media_id}" if picture is not None else self.group.face_url
        self.group = self.group.model_copy(
            update={"member_count": self._member_count, "face_url": face_url}
        )
        await self._service.database.run(lambda tx: self._make(picture, tx))

    async def _make(self, picture: Media | None, tx: Tx) -> None:
        service, group = self._service, self.group
        if not await service.stores.groups.finish_import(self._channel_id, self._holder, tx):
            raise MovingRefused(
                "import_lost", "The import stood still for too long, and was deleted; begin again."
            )
        if not await service.count_channel(tx):
            raise MovingRefused(
                "limit_reached", f"The deployment has {service.limits.channels} channels already."
            )
        shown = [picture.media_id] if picture is not None else []
        await service.stores.media.use([*shown, *self._scheduled_uses], tx)
        await service.stores.groups.insert(group, tx)
        await service.insert_profile(self.profile, tx)
        stream = self._stream()
        # Only now: what has ended by the setting of this deployment must not go before the channel is there.
        if kept_days(group.retention_days, service.limits) is not None:
            await service.stores.groups.begin_redating(self._channel_id, tx)
        pins = [seq for _, seq in sorted(self._pins)]
        if pins:
            stream["pins"] = pins
        last = {"streams": [stream], "drafts": self._scheduled, **self._last_rows}
        if self._tagged:
            last["subscriber_tag_counts"] = [tag_counts_document(self._channel_id, self._tagged)]
        await service.store.insert(last, tx)
        if self._last_rows:
            await service.follow_automatic_messages(self._channel_id, tx)
        after = {"imported_posts": self._checked.head_seq, "imported_members": group.member_count}
        act = AdminAct(IMPORTER, AdminAction.CHANNEL_CREATED, after=after)
        await service.admin_log.record(tx, group, act)
        now = service.database.clock.now()
        tx.publish(_joined(group, self.profile, (self._owner_id,), now))

    def _stream(self) -> Document:
        """The stream of the posts; where all have ended, lists still show when the newest was posted."""
        stream = stream_document(
            self.group.stream_id, self._newest, is_channel=True, media_bytes=self._media_bytes
        )
        ended = self.group.ended_seq
        if not ended:
            return stream
        stream["ended_seq"] = ended
        if self._newest is None:
            at = self._checked.channel.last_post_at or self.group.created_at
            stream["head_seq"] = ended
            stream["last"] = ended_document(ended, UserId(self._channel_id), at)
        return stream


async def _in_steps(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, with others at work in between."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)
