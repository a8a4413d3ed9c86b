"""Messages: what they carry, and where they came from."""

from datetime import datetime
from enum import StrEnum
from sys import getsizeof
from typing import NamedTuple

from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models.base import Model
from groups.models.media import Attachment


class Kind(StrEnum):
    """What a message carries."""

    TEXT = "text"
    IMAGE = "image"
    TEXT_AND_IMAGE = "text_and_image"
    VIDEO = "video"
    FILE = "file"
    LOCATION = "location"
    CUSTOM = "custom"


class Location(Model):
    """A place on Earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Link(Model):
    """A titled link."""

    title: str
    url: str


class Content(Model):
    """What is said. `custom_json` is the application's own JSON, kept as text: the database must not interpret it."""

    kind: Kind
    title: str = ""
    text: str = ""
    links: tuple[Link, ...] = ()
    media: tuple[Attachment, ...] = ()
    location: Location | None = None
    custom_json: str | None = None

    @property
    def size_bytes(self) -> int:
        """The UTF-8 bytes of all fields together, which the body limit bounds."""
        parts = [self.title, self.text, self.custom_json or ""]
        parts += [part for link in self.links for part in (link.title, link.url)]
        parts += [attachment.media_id for attachment in self.media]
        if self.location is not None:
            parts += [self.location.name, self.location.address]
        return sum(len(part.encode()) for part in parts)

    @property
    def media_bytes(self) -> int:
        """The bytes of the uploads that it carries, each as often as it does."""
        return sum(attachment.size_bytes for attachment in self.media)

    @property
    def preview(self) -> str:
        """A line for lists."""
        place = self.location.name if self.location else ""
        return (self.title or self.text or place or f"[{self.kind.value}]")[:100]


class Origin(Model):
    """Where a forwarded message was first written; all None where that is not everybody's to know."""

    group_id: GroupId | None = None
    is_channel: bool = False
    name: str | None = None
    seq: int | None = None


class Source(NamedTuple):
    """Where a message to forward is: in a group, or in a conversation that is no group's and a higher package knows."""

    group_id: GroupId | None
    conversation_id: StreamId | None
    seq: int


class Message(Model):
    """One entry of a stream; `content` is None once recalled: it keeps id, seq and times only.

    `views` is how many have seen it, where that is counted: in channels (`analytics`). `author_id`: who wrote it,
    where the sender is a channel and not a person.
    """

    stream_id: StreamId
    seq: int
    sender_id: UserId
    content: Content | None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    silent: bool = False
    """Nobody's device is to ring; it counts as unread like any other."""
    signature: str = ""
    """The sender's name as it was then, where the channel shows it; empty: not signed."""
    origin: Origin | None = None
    """None: it was not forwarded."""
    pinned_at: datetime | None = None
    reactions_frozen: bool = False
    views: int = 0
    author_id: UserId | None = None

    @property
    def memory_bytes(self) -> int:
        """What it takes in memory, for caches: estimated, and not less than that (`tests/server/test_caches.py`)."""
        size = 3_100 if self.origin is None else 4_200
        if self.signature:
            size += getsizeof(self.signature)
        content = self.content
        if content is None:
            return size
        size += getsizeof(content.text) + getsizeof(content.title) + getsizeof(content.custom_json)
        # A character takes four bytes where one of its text does.
        size += sum(800 + 4 * len(link.title) + 4 * len(link.url) for link in content.links)
        size += sum(1_500 + 4 * len(each.name) for each in content.media)
        place = content.location
        return (
            size if place is None else size + 1_200 + 4 * len(place.name) + 4 * len(place.address)
        )
