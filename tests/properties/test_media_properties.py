"""Uploads against a simple model: uploaded, used by posts and drafts, released, expired, swept.

mongomock has no GridFS, so a dictionary holds the bytes here; the test is about their records.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gridfs.errors import NoFile
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, precondition, rule

from channels.drafts.models import NewDraft
from groups.kernel.actor import Actor
from groups.models import Attachment, Content, Kind, MediaKind, MediaSize
from tests.builders import ADA, BOB, text
from tests.properties.machine import BOUNDED, CHANNEL, Deployment

ACTORS = st.sampled_from([ADA, BOB])
UNUSED_SECONDS: Final = 100


class Bucket:
    """Holds bytes by id."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def upload_from_stream_with_id(self, key: str, name: str, source: object) -> None:
        self.kept[key] = b""

    async def delete(self, key: str) -> None:
        if key not in self.kept:
            raise NoFile
        del self.kept[key]


@dataclass
class File:
    """The expected state of an upload."""

    owner: Actor
    expires_at: datetime | None
    uses: int = 0


@dataclass
class Holder:
    """A post or a draft, and the upload that it uses."""

    media_id: str | None


async def _bytes() -> AsyncIterator[bytes]:
    yield b"tea"


def carrying(media_id: str) -> Content:
    return Content(kind=Kind.FILE, media=(Attachment(media_id=media_id, kind=MediaKind.FILE),))


class Uploads(Deployment):
    """`files` are the uploads that exist, `posts` and `drafts` use them."""

    uploaded = Bundle("uploaded")

    def __init__(self) -> None:
        super().__init__(unused_media_seconds=UNUSED_SECONDS)
        self.media = self.services.chat.media
        self.bucket = Bucket()
        self.services.database.bucket = lambda *_, **__: self.bucket  # type: ignore[assignment, method-assign]
        self.chat = self.services.chat
        self.drafting = self.services.channels.drafting.drafts
        self.files: dict[str, File] = {}
        self.posts: list[Holder] = []
        self.drafts: dict[str, Holder] = {}

    @rule(target=uploaded, actor=ACTORS)
    def upload(self, actor: Actor) -> str:
        media = self.get(self.media.upload(actor, _bytes(), length=None, name="tea.txt"))
        ends = self.clock.now() + timedelta(seconds=UNUSED_SECONDS)
        self.files[media.media_id] = File(actor, ends)
        return media.media_id

    def may_use(self, actor: Actor, media_id: str) -> bool:
        return media_id in self.files and self.files[media_id].owner == actor

    def hold(self, media_id: str) -> Holder:
        self.files[media_id].uses += 1
        self.files[media_id].expires_at = None
        return Holder(media_id)

    def release(self, holder: Holder) -> None:
        if holder.media_id is not None:
            file = self.files[holder.media_id]
            file.uses -= 1
            if not file.uses:
                file.expires_at = self.clock.now()
            holder.media_id = None

    @rule(actor=ACTORS, media_id=uploaded)
    def post(self, actor: Actor, media_id: str) -> None:
        code = self.done(self.chat.messages.post(actor, CHANNEL, carrying(media_id)))
        if self.may_use(actor, media_id):
            assert code is None
            self.posts.append(self.hold(media_id))
        else:
            assert code == "media_not_found"

    @precondition(lambda self: self.posts)
    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        seq = data.draw(st.integers(1, len(self.posts)))
        assert self.done(self.chat.edits.recall(ADA, CHANNEL, seq)) is None
        self.release(self.posts[seq - 1])

    @rule(actor=ACTORS, media_id=uploaded)
    def keep_in_a_draft(self, actor: Actor, media_id: str) -> None:
        made: list[str] = []

        async def make() -> None:
            new = NewDraft(content=carrying(media_id))
            draft = await self.drafting.create(actor, CHANNEL, new, publish_at=None, key=None)
            made.append(draft.draft_id)

        code = self.done(make())
        if self.may_use(actor, media_id):
            assert code is None
            self.drafts[made[0]] = self.hold(media_id)
        else:
            assert code == "media_not_found"

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), how=st.sampled_from(["publish", "throw away", "rewrite"]))
    def end_a_draft(self, data: st.DataObject, how: str) -> None:
        draft_id = data.draw(st.sampled_from(list(self.drafts)))
        if how == "rewrite":
            new = NewDraft(content=text())
            self.get(self.drafting.change(ADA, CHANNEL, draft_id, new=new))
            self.release(self.drafts[draft_id])
        elif how == "publish":
            self.get(self.drafting.publish(ADA, CHANNEL, draft_id))
            self.posts.append(self.drafts.pop(draft_id))
        else:
            self.get(self.drafting.delete(ADA, CHANNEL, draft_id))
            self.release(self.drafts.pop(draft_id))

    @rule(seconds=st.integers(1, 80))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        gone = [
            media_id
            for media_id, file in self.files.items()
            if file.expires_at is not None and file.expires_at <= self.clock.now()
        ]
        assert self.get(self.media.sweep()) == len(gone)
        for media_id in gone:
            assert self.files.pop(media_id).uses == 0
            assert self.done(self.media.open(media_id, MediaSize.ORIGINAL)) == "media_not_found"

    @invariant()
    def used_uploads_exist_and_the_others_are_deleted(self) -> None:
        assert set(self.bucket.kept) == set(self.files)
        rows = self.get(self.services.database.collection("media").find({}).to_list(None))
        assert {row["_id"]: (row.get("uses", 0), row["expires_at"]) for row in rows} == {
            media_id: (file.uses, file.expires_at) for media_id, file in self.files.items()
        }


TestUploads = Uploads.TestCase
TestUploads.settings = BOUNDED
