"""Makes an archive of posts that another program exported.

Promises: images are redrawn, as uploads of clients are, so they carry no places and no hidden files. What the
deployment would refuse is left out and reported: nothing in the archive stops the import. The posts belong to the
owner of the new channel, and their signature says who wrote them, since other programs name no users of ours.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic_core import PydanticCustomError

from channels.limits import Limits
from channels.moving.archive import PIECE, ArchiveWriter
from channels.moving.bounds import problem_in_buttons
from channels.moving.errors import MovingRefused
from channels.moving.lines import content_to_json, line_of
from channels.moving.models import FORMAT, VERSION
from channels.moving.report import Report
from groups.errors import BadMedia
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.text.bounded import folded, without_controls
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER
from groups.models import (
    Attachment,
    ButtonRows,
    Content,
    GroupType,
    JoinOption,
    Kind,
    Location,
    MediaKind,
    Origin,
    Poll,
    Posting,
    Visibility,
)
from groups.service.media.image_workers import ImageWorkers
from groups.service.media.upload_files import SNIFFED_BYTES, kind_of, limits_of
from groups.service.messages.posting import check_bounds

SIGNATURE_BYTES: Final = 150
ROOM_BYTES: Final = 256 * 2**20
"""The room that a conversion leaves free on the disk of temporary files."""
_OF_KIND: Final = {
    MediaKind.IMAGE: Kind.IMAGE,
    MediaKind.VIDEO: Kind.VIDEO,
    MediaKind.AUDIO: Kind.AUDIO,
    MediaKind.FILE: Kind.FILE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFile:
    """A file of a post: its path, the name that readers see, and what the report calls it, in the plural."""

    path: Path
    name: str
    words: str = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignPost:
    """A post of another program. `place` says where in its export it is; `text` has our marks."""

    place: str
    at: datetime
    text: str = ""
    file: ForeignFile | None = None
    poll: Poll | None = None
    location: Location | None = None
    signature: str = ""
    edited_at: datetime | None = None
    pinned_at: datetime | None = None
    forwarded_from: str | None = None
    buttons: ButtonRows = ()


@dataclass(slots=True)
class ForeignArchive:
    """Writes the archive. `folder` is for temporary files, and stays until the import has read the archive."""

    archive: ArchiveWriter
    folder: Path
    report: Report
    limits: Limits
    images: ImageWorkers
    channel_id: GroupId
    owner_id: UserId
    _seq: int = 0
    _counts: Counter[str] = field(default_factory=Counter)
    _files: dict[str, Path] = field(default_factory=dict)
    _pins: int = 0

    def begin(self, name: str, created_at: datetime, introduction: str = "") -> None:
        """Write the channel: private, so that nobody sees it before its owner has."""
        self._write("header", format=FORMAT, version=VERSION)
        group = {
            "type": GroupType.COMMUNITY.value,
            "name": fitting(one_line(name), self.limits.channel_name_bytes) or "Channel",
            "introduction": fitting(introduction, self.limits.channel_introduction_bytes),
            "posting": Posting.OWNER_AND_ADMINS.value,
            "join_option": JoinOption.INVITE.value,
            "visibility": Visibility.PRIVATE.value,
            "history_visible": True,
            "reactions_per_user": REACTIONS_PER_USER,
            "distinct_reactions": DISTINCT_REACTIONS,
            "created_at": created_at,
            "created_by": self.owner_id,
        }
        profile = {"created_at": created_at, "signatures": True}
        self._write("channel", channel_id=self.channel_id, group=group, profile=profile)
        self._write("member", user_id=self.owner_id, role="owner", joined_at=created_at)

    async def add(self, post: ForeignPost) -> None:
        """Write the post, or more than one for a text that is too long."""
        text = clean(post.text).strip("\n")
        attachment = await self._attachment(post) if post.file is not None else None
        texts = self._parts(text, post.place)
        content: Content | None = None
        if attachment is not None:
            kind = _OF_KIND[attachment.kind]
            if kind is Kind.IMAGE and text.strip():
                kind = Kind.TEXT_AND_IMAGE
            content = Content(kind=kind, text=texts[0], media=(attachment,))
        elif post.poll is not None:
            content = self._poll(post, texts)
        elif post.location is not None:
            content = Content(kind=Kind.LOCATION, text=texts[0], location=post.location)
        elif text.strip():
            content = Content(kind=Kind.TEXT, text=texts[0])
        if content is None:
            return
        self._write_post(post, self._with_buttons(post, content))
        for more in texts[1:]:
            self._write_post(post, Content(kind=Kind.TEXT, text=more))

    def _with_buttons(self, post: ForeignPost, content: Content) -> Content:
        if not post.buttons:
            return content
        made = content.model_copy(update={"buttons": post.buttons})
        number = len(made.all_buttons)
        try:
            check_bounds(made, self.limits)
            problem = problem_in_buttons(made, self.limits)
        except DomainError as error:
            problem = error.detail
        if problem is not None:
            self.report.leave("buttons", problem.rstrip("."), post.place, number)
            return content
        self.report.take("buttons", number)
        return made

    def end(self) -> None:
        """Write the end, and the uploads."""
        counts = dict(sorted(self._counts.items()))
        self.archive.write(line_of("end", counts=counts, sha256=self.archive.digest))
        for digest, path in self._files.items():
            with (
                path.open("rb") as source,
                self.archive.media(digest, path.stat().st_size) as target,
            ):
                shutil.copyfileobj(source, target, PIECE)

    def _write(self, kind: str, **values: object) -> None:
        self._counts[kind] += 1
        self.archive.write(line_of(kind, **values))

    def _write_post(self, post: ForeignPost, content: Content) -> None:
        self._seq += 1
        pinned_at = post.pinned_at
        if pinned_at is not None and self._pins >= self.limits.pinned_messages:
            self.report.leave("pins", "too many (LIMIT_PINNED_MESSAGES)", post.place)
            pinned_at = None
        self._pins += pinned_at is not None
        hashes = {one.media_id: one.media_id for one in content.media}
        origin: dict[str, object] = {}
        if post.forwarded_from is not None:
            named = Origin(name=one_line(post.forwarded_from)[:150])
            origin["origin"] = named.model_dump(exclude_none=True, exclude_defaults=True)
        self._write(
            "post",
            seq=self._seq,
            sender_id=self.owner_id,
            signature=fitting(one_line(post.signature), SIGNATURE_BYTES),
            created_at=post.at,
            edited_at=post.edited_at,
            pinned_at=pinned_at,
            **origin,
            content=content_to_json(content, hashes),
        )
        self.report.take("posts")
        self.report.take("uploads", len(content.media))

    def _parts(self, text: str, place: str) -> list[str]:
        """The text in parts that fit into posts, cut at ends of lines or of words where there are any."""
        # Ids and names of uploads count too.
        limit = self.limits.message_body_bytes - 1_024
        parts: list[str] = []
        while len(text.encode()) > limit:
            head = fitting(text, limit)
            cut = max(head.rfind("\n"), head.rfind(" "))
            cut = cut if cut > len(head) // 2 else len(head)
            parts.append(text[:cut])
            text = text[cut:].lstrip()
        if parts:
            self.report.change("long texts", "continued in a further post", place)
        return [*parts, text]

    def _poll(self, post: ForeignPost, texts: Sequence[str]) -> Content:
        poll, limits = post.poll, self.limits
        assert poll is not None
        fits = (
            2 <= len(poll.options) <= limits.poll_options
            and len({folded(option) for option in poll.options}) == len(poll.options)
            and all(
                option.strip() and len(option.encode()) <= limits.poll_option_bytes
                for option in poll.options
            )
            and bool(poll.question.strip())
            and len(poll.question.encode()) <= limits.poll_question_bytes
        )
        if fits:
            return Content(kind=Kind.POLL, text=texts[0], poll=poll)
        self.report.change("polls", "as text, since they are no polls here", post.place)
        lines = [poll.question, *(f"- {option}" for option in poll.options)]
        text = fitting("\n".join(lines), limits.message_body_bytes - 1_024)
        return Content(kind=Kind.TEXT, text=text or "-")

    async def _attachment(self, post: ForeignPost) -> Attachment | None:
        file = post.file
        assert file is not None
        with file.path.open("rb") as source:
            kind, content_type = kind_of(source.read(SNIFFED_BYTES))
        path, size = file.path, file.path.stat().st_size
        if size == 0:
            self.report.leave(file.words, "the file is empty", post.place)
            return None
        limit = limits_of(self.limits)[kind]
        if size > limit:
            name = f"LIMIT_{kind.value.upper()}_BYTES"
            self.report.leave(file.words, f"larger than {limit} bytes ({name})", post.place)
            return None
        self.check_room(size)
        width = height = None
        if kind is MediaKind.IMAGE:
            target = self.folder / f"image-{self._seq}-{len(self._files)}"
            try:
                drawn = await self.images.redraw(self.owner_id, path, content_type, target)
            except BadMedia as error:
                self.report.leave(file.words, f"no readable picture: {error.detail}", post.place)
                return None
            for smaller in drawn.smaller.values():
                smaller.unlink(missing_ok=True)
            path, width, height = drawn.path, drawn.width, drawn.height
            size = path.stat().st_size
        with path.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        if digest in self._files and path != file.path:
            path.unlink()
        self._files.setdefault(digest, path)
        return Attachment(
            media_id=digest,
            kind=kind,
            content_type=content_type,
            size_bytes=size,
            width=width,
            height=height,
            name=fitting(one_line(file.name), 255),
        )

    def check_room(self, more_bytes: int) -> None:
        """Refuse to go on where the disk would fill up. Raises: MovingRefused."""
        if shutil.disk_usage(self.folder).free - more_bytes < ROOM_BYTES:
            raise MovingRefused("too_large", f"There is no room on the disk of {self.folder}.")


def fitting(text: str, limit_bytes: int) -> str:
    """The beginning of the text that fits into so many bytes."""
    return text.encode()[:limit_bytes].decode(errors="ignore")


def clean(text: str) -> str:
    """The text without control characters, and without marks of direction at the ends of lines."""
    kept = "".join(c for c in text if c in "\n\t" or (c >= " " and not "\x7f" <= c <= "\x9f"))
    kept = kept.encode(errors="ignore").decode()
    try:
        return without_controls(kept)
    except PydanticCustomError:
        return "".join(c for c in kept if c not in "\ufffe\uffff")


def one_line(text: str) -> str:
    """The text as one line."""
    return " ".join(clean(text).split())


def instant_of(seconds: int) -> datetime:
    """The instant so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)
