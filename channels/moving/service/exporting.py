"""Exports a channel as it is at one instant.

Promises:
    One instant: everything is read from one snapshot, which the database keeps for some minutes
    (`minSnapshotHistoryWindowInSeconds`). Uploads are hashed before, since reading their bytes takes longest.
    Bounded memory: rows go to the file as they are read. What grows with the channel are 150 bytes for each upload.
    Equal: the same channel makes the same bytes, whichever deployment holds it.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from channels.comments.models import PostPlace
from channels.models import ChannelProfile
from channels.moving.archive import ArchiveWriter
from channels.moving.errors import MovingRefused
from channels.moving.lines import content_to_json, line_of
from channels.moving.models import FORMAT, VERSION
from channels.moving.store.reading import ChannelRows, settings_read_seq
from channels.moving.tables import TABLES, Table
from groups.errors import MediaNotFound
from groups.kernel.clock import milliseconds_since_1970
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document
from groups.kernel.mongo.snapshot import Snapshot, SnapshotLost
from groups.models import (
    CHANNEL_MARKER,
    Content,
    Group,
    MediaSize,
    Restriction,
    Role,
    media_in,
    message_key,
    stream_of,
)
from groups.service.media.service import MediaService
from reactions.models import ACKNOWLEDGED, VOTE_PREFIX

OF_DEPLOYMENT: Final = frozenset(
    {
        *("group_id", "face_url", "member_count", "version", "owner_id"),
        # What the application of the deployment said of the channel.
        *("verified", "suspension"),
        # Requests to join stay.
        "has_requests",
    }
)
"""Fields of a group that an export leaves out: they are derived, or belong to the deployment."""
_NOT_IN_PROFILE: Final = frozenset({"channel_id", "menu_version"})


@dataclass(slots=True)
class Exported:
    """The outcome of an export."""

    counts: Counter[str] = field(default_factory=Counter)
    """The lines by type."""
    uploads: int = 0
    media_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportService:
    """Exports channels."""

    database: Database
    media: MediaService

    async def export(
        self, channel_id: GroupId, target: Path, *, with_members: bool = True
    ) -> Exported:
        """Write the channel to the file `target`; an earlier one is replaced once this one is whole.

        Raises: MovingRefused.
        """
        try:
            async with Snapshot(self.database) as snapshot:
                rows = ChannelRows(snapshot, channel_id)
                uploads = _Uploads(self.media)
                await self._hash_uploads(rows, channel_id, uploads)
                await snapshot.renew(older_than=0)
                with ArchiveWriter(target) as archive:
                    writing = _Export(rows, archive, channel_id, uploads, with_members=with_members)
                    await writing.run()
                    for digest in writing.used:
                        media_id, size_bytes = uploads.by_hash[digest]
                        with archive.media(digest, size_bytes) as file:
                            async for piece in uploads.read(media_id):
                                file.write(piece)
                        writing.exported.uploads += 1
                        writing.exported.media_bytes += size_bytes
        except SnapshotLost as lost:
            raise MovingRefused(
                "changed_meanwhile",
                "Reading the channel took longer than the database keeps one state of it; raise its parameter"
                f" minSnapshotHistoryWindowInSeconds ({lost}).",
            ) from lost
        return writing.exported

    async def _hash_uploads(
        self, rows: ChannelRows, channel_id: GroupId, uploads: "_Uploads"
    ) -> None:
        group = await rows.find_one("groups", channel_id)
        picture = media_in(group["face_url"]) if group is not None else None
        wanted = {media_id async for media_id in rows.media_ids()}
        for media_id in sorted(wanted | ({picture} if picture else set())):
            # One that is gone belongs to what is deleted meanwhile; the export looks again.
            await uploads.find(media_id)


class _Uploads:
    """The uploads of the channel, by id and by the hash of their bytes."""

    def __init__(self, media: MediaService) -> None:
        self._media = media
        self.hashes: dict[str, str] = {}
        self.by_hash: dict[str, tuple[str, int]] = {}

    async def find(self, media_id: str) -> str | None:
        """The hash of the upload's bytes; None where it does not exist."""
        if media_id not in self.hashes:
            digest, size_bytes = hashlib.sha256(), 0
            try:
                async for piece in self.read(media_id):
                    digest.update(piece)
                    size_bytes += len(piece)
            except MediaNotFound:
                return None
            self.hashes[media_id] = digest.hexdigest()
            self.by_hash.setdefault(digest.hexdigest(), (media_id, size_bytes))
        return self.hashes[media_id]

    async def read(self, media_id: str) -> AsyncIterator[bytes]:
        stored = await self._media.open(media_id, MediaSize.ORIGINAL)
        async for piece in stored.read(0, stored.size_bytes):
            yield piece


class _Export:
    """One export under way."""

    def __init__(
        self,
        rows: ChannelRows,
        archive: ArchiveWriter,
        channel_id: GroupId,
        uploads: _Uploads,
        *,
        with_members: bool,
    ) -> None:
        self._rows = rows
        self._archive = archive
        self._channel_id = channel_id
        self._uploads = uploads
        self._with_members = with_members
        self.exported = Exported()
        self.used: dict[str, None] = {}
        """The hashes of the uploads that lines name."""

    async def run(self) -> None:
        """Write all lines."""
        self._write("header", format=FORMAT, version=VERSION)
        stream = await self._write_channel()
        await self._write_members(stream)
        await self._write_restrictions()
        # Of what has ended, some may still wait to be deleted.
        stream_id, ended = stream_of(self._channel_id), stream.get("ended_seq") or 0
        async for row, tally in self._rows.messages(stream_id, after=ended):
            await self._write_message(row, tally)
        async for row in self._drafts():
            await self._write_draft(row)
        for table in TABLES:
            await self._write_table(table)
        exported = self.exported
        digest, counts = self._archive.digest, dict(sorted(exported.counts.items()))
        self._archive.write(line_of("end", counts=counts, sha256=digest))

    def _write(self, kind: str, always: Mapping[str, Any] | None = None, /, **values: Any) -> None:
        self.exported.counts[kind] += 1
        self._archive.write(line_of(kind, always, **values))

    async def _hash(self, media_id: str) -> str:
        digest = await self._uploads.find(media_id)
        if digest is None:
            raise MovingRefused(
                "changed_meanwhile", "An upload was deleted while the channel was read; try again."
            )
        self.used[digest] = None
        return digest

    async def _content(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        content = Content.from_stored(stored)
        hashes = {one.media_id: await self._hash(one.media_id) for one in content.media}
        return content_to_json(content, hashes)

    async def _write_channel(self) -> Document:
        row = await self._rows.find_one("groups", self._channel_id)
        of_channel = await self._rows.find_one("channels", self._channel_id)
        stream = await self._rows.find_one("streams", stream_of(self._channel_id))
        if row is None or of_channel is None or stream is None:
            raise MovingRefused("channel_not_found", f"There is no channel {self._channel_id}.")
        group = Group.from_stored({**row, "group_id": row["_id"]})
        profile = ChannelProfile.from_stored({**of_channel, "channel_id": of_channel["_id"]})
        values = group.model_dump(mode="json", exclude_defaults=True, exclude=set(OF_DEPLOYMENT))
        custom = {key: value for key, value in group.custom.items() if key != CHANNEL_MARKER}
        del values["custom"]  # it has the marker
        if custom:
            values["custom"] = custom
        picture, last = media_in(group.face_url), stream.get("last")
        if picture is None and group.face_url:
            values["face_url"] = group.face_url
        self._write(
            "channel",
            channel_id=self._channel_id,
            group=values,
            profile=profile.model_dump(
                mode="json", exclude_defaults=True, exclude=set(_NOT_IN_PROFILE)
            ),
            picture=await self._hash(picture) if picture is not None else None,
            last_post_at=last["at"] if last and last["seq"] <= group.ended_seq else None,
        )
        return stream

    async def _write_members(self, stream: Document) -> None:
        author, author_seq = stream.get("author_id"), stream.get("author_seq") or 0
        async for row, settings, tags in self._rows.members():
            if not self._with_members and row["role"] != Role.OWNER.value:
                continue
            read_seq = settings_read_seq(settings)
            if row["user_id"] == author:
                read_seq = max(read_seq, author_seq)
            always: dict[str, Any] = {}
            if "grants" in row:
                always["grants"] = row["grants"]  # no grants are other than all
            if row.get("added"):
                always["has_agreed"] = False
            self._write(
                "member",
                always,
                user_id=row["user_id"],
                role=row["role"] if row["role"] != Role.MEMBER.value else None,
                joined_at=row["joined_at"],
                joined_seq=row["joined_seq"],
                muted_until=row.get("muted_until"),
                name_card=row.get("name_card"),
                read_seq=read_seq,
                tags=_tags_in(tags, row),
            )

    async def _write_restrictions(self) -> None:
        if not self._with_members:
            return
        async for row in self._rows.of_key("restrictions"):
            restriction = Restriction.from_stored(row)
            values = restriction.model_dump(mode="python", exclude={"group_id", "user_id"})
            if restriction.restricts:
                self._write("restriction", user_id=restriction.user_id, **values)

    async def _write_message(
        self, row: Document, tally: Document | None, *, post_seq: int | None = None
    ) -> None:
        seq, sender = row["seq"], row["sender_id"]
        kind = "post" if post_seq is None else "comment"
        self._write(
            kind,
            _origin_in(row),
            post_seq=post_seq,
            seq=seq,
            sender_id=sender if sender != self._channel_id else None,
            author_id=row.get("author_id"),
            signature=row.get("signature"),
            created_at=row["created_at"],
            edited_at=row["edited_at"],
            recalled_at=row["recalled_at"],
            pinned_at=row.get("pinned_at"),
            silent=row.get("silent"),
            quoted_seq=row.get("quoted_seq"),
            reactions_frozen=row.get("reactions_frozen"),
            comments_frozen=row.get("comments_frozen"),
            views=row.get("views") if row["content"] else None,
            member_count=row.get("member_count"),
            reminded_at=tally.get("reminded_at") if tally and row["content"] else None,
            content=await self._content(row["content"]) if row["content"] else None,
        )
        if tally is not None and row["content"]:
            is_poll = row["content"].get("poll") is not None
            await self._write_reactions(row["stream_id"], seq, post_seq, is_poll=is_poll)
        if post_seq is None and row.get("comments") is not None and row["content"]:
            place = PostPlace(self._channel_id, seq)
            async for comment, its_tally in self._rows.messages(place.stream_id):
                await self._write_message(comment, its_tally, post_seq=seq)

    async def _write_reactions(
        self, stream_id: Any, seq: int, post_seq: int | None, *, is_poll: bool
    ) -> None:
        kind = "reaction" if post_seq is None else "comment_reaction"
        async for row in self._rows.reactions(message_key(stream_id, seq)):
            user_id, emoji, at = row["user_id"], row["emoji"], row["at"]
            if emoji.startswith(VOTE_PREFIX):
                number = int(emoji.removeprefix(VOTE_PREFIX))
                # Presses of buttons are stored as votes are.
                name, always = ("vote", "option") if is_poll else ("press", "button")
                self._write(name, {always: number}, seq=seq, user_id=user_id, at=at)
            elif emoji == ACKNOWLEDGED:
                self._write("acknowledgement", seq=seq, user_id=user_id, at=at)
            else:
                self._write(kind, post_seq=post_seq, seq=seq, user_id=user_id, emoji=emoji, at=at)

    def _drafts(self) -> AsyncIterator[Document]:
        return self._rows.of_key("drafts")

    async def _write_draft(self, row: Document) -> None:
        failure = row["failure"]
        self._write(
            "draft",
            _origin_in(row),
            draft_id=row["draft_id"],
            author_id=row["author_id"],
            by_app=row["by_app"],
            content=await self._content(row["content"]),
            silent=row["silent"],
            publish_at=row["publish_at"],
            failure=failure,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            version=row["version"],
        )

    async def _write_table(self, table: Table) -> None:
        if table.is_of_user and not self._with_members:
            return
        if not table.key:
            row = await self._rows.find_one(table.collection, self._channel_id)
            if row is not None:
                await self._write_row(table, row)
            return
        async for row in self._rows.of_key(table.collection):
            await self._write_row(table, row)

    async def _write_row(self, table: Table, row: Document) -> None:
        if table.needs is not None and row.get(table.needs) is None:
            return
        document = {
            name: value for name, value in row.items() if name not in {"_id", *table.left_out}
        }
        model = table.model.from_stored({**document, "channel_id": self._channel_id})
        values = model.model_dump(mode="python", exclude_defaults=True, exclude={"channel_id"})
        self._write(table.line, values)


def _tags_in(row: Document | None, member: Document) -> list[str]:
    """The tags of the member; those of an earlier subscription have no meaning."""
    if row is None or row["joined_ms"] != milliseconds_since_1970(member["joined_at"]):
        return []
    return list(row["tags"])


def _origin_in(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The origin of a forwarded message, which may say nothing but that it was forwarded."""
    origin = row.get("origin")
    if origin is None:
        return None
    return {"origin": {name: value for name, value in origin.items() if value}}
