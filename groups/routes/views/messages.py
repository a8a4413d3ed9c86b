"""What the calls on messages take and answer."""

import json
from typing import Annotated, Any, Final, Self

import orjson
from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from groups.kernel.endpoint import Body, Rendered, View
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import AnyIdText, GroupId, UserId
from groups.models import (
    Attachment,
    Content,
    Kind,
    Link,
    Location,
    MediaKind,
    Message,
    Tally,
    User,
)
from groups.routes.views.fields import Instant, WebAddress
from groups.routes.views.forwarding import ForwardBody, ForwardedFrom, forwarded_from


class LinkBody(Body):
    """A titled link, http or https."""

    title: Annotated[str, Field(min_length=1)]
    url: Annotated[WebAddress, Field(min_length=1, examples=["https://example.org/tea"])]


class LocationBody(Body):
    """A place on Earth, in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: str = ""
    address: str = ""


class ContentBody(Body):
    """What to say, by its kind: a text, uploads (ids that `POST /v1/media` answered), a place, one's own JSON.

    Every kind may carry a title, a text and links; all of it counts against the body limit.
    """

    kind: Kind | None = None
    title: str = ""
    text: str = ""
    links: tuple[LinkBody, ...] = ()
    images: Annotated[tuple[AnyIdText, ...], Field(description="For `image`: 1 to 10.")] = ()
    video: AnyIdText | None = None
    file: AnyIdText | None = None
    location: LocationBody | None = None
    custom: JsonValue = None

    def _check_kind(self, kind: Kind) -> None:
        """Refuse what does not go with this kind, and what it lacks."""
        given = {
            "images": bool(self.images),
            "video": self.video is not None,
            "file": self.file is not None,
            "location": self.location is not None,
            "custom": self.custom is not None,
        }
        needed = _FIELD_OF.get(kind)
        if kind in {Kind.TEXT, Kind.TEXT_AND_IMAGE} and not self.text.strip():
            raise PydanticCustomError(
                "empty_text", "text must not be empty for kind {kind}", {"kind": kind.value}
            )
        if needed is not None and not given[needed]:
            raise PydanticCustomError(
                f"empty_{needed}",
                "{field} must not be empty for kind {kind}",
                {"field": needed, "kind": kind.value},
            )
        for name, is_given in given.items():
            # One's own JSON may go along with any kind.
            if is_given and name not in {needed, "custom"}:
                raise PydanticCustomError(
                    "wrong_kind",
                    "{field} does not go with kind {kind}",
                    {"field": name, "kind": kind.value},
                )

    def _to_content(self, kind: Kind) -> Content:
        media = [Attachment(media_id=one, kind=MediaKind.IMAGE) for one in self.images]
        if self.video is not None:
            media.append(Attachment(media_id=self.video, kind=MediaKind.VIDEO))
        if self.file is not None:
            media.append(Attachment(media_id=self.file, kind=MediaKind.FILE))
        return Content(
            kind=kind,
            title=self.title,
            text=self.text,
            links=tuple(Link(title=link.title, url=link.url) for link in self.links),
            media=tuple(media),
            location=None if self.location is None else Location(**self.location.model_dump()),
            custom_json=None if self.custom is None else dump_json(self.custom),
        )


class WriteMessage(ContentBody):
    """What to say, by its kind: a text, uploads (ids that `POST /v1/media` answered), a place, one's own JSON.

    Every kind may carry a title, a text and links; all of it counts against the body limit.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Hello"},
                {"kind": "custom", "custom": {"order": 7}},
                {"kind": "location", "location": {"latitude": 22.5, "longitude": 114.1}},
            ]
        }
    )

    kind: Kind

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        self._check_kind(self.kind)
        return self

    def to_content(self) -> Content:
        """The content that the message will carry; its uploads are named only."""
        return self._to_content(self.kind)


class NewMessage(ContentBody):
    """What to say, as `WriteMessage`, or with `forward` instead of it a message to copy; `silent` rings nobody."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Hello"},
                {"kind": "text", "text": "Good night", "silent": True},
                {"forward": {"channel_id": "@TOA#_news", "seq": 1}},
            ]
        }
    )

    forward: ForwardBody | None = None
    silent: Annotated[bool, Field(description="Devices should not ring; it counts as unread.")] = (
        False
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.forward is None:
            if self.kind is None:
                raise PydanticCustomError("no_kind", "kind is needed where nothing is forwarded")
            self._check_kind(self.kind)
        elif self.model_fields_set - {"forward", "silent"}:
            raise PydanticCustomError("forward", "what is forwarded keeps its own content")
        return self

    def to_content(self) -> Content:
        """The content of what is not forwarded; its uploads are named only."""
        if self.kind is None:
            raise TypeError("what is forwarded has no content of its own")
        return self._to_content(self.kind)


_FIELD_OF: Final = {
    Kind.IMAGE: "images",
    Kind.TEXT_AND_IMAGE: "images",
    Kind.VIDEO: "video",
    Kind.FILE: "file",
    Kind.LOCATION: "location",
    Kind.CUSTOM: "custom",
}
"""Which field a message of this kind is about."""


def dump_json(value: Any) -> str:
    """The application's JSON as compact text.

    Raises: InvalidRequest.
    """
    try:
        json.dumps(value, allow_nan=False)  # orjson would write NaN and infinity as null
        return orjson.dumps(value).decode()
    except (ValueError, orjson.JSONEncodeError):  # the latter: an integer beyond 64 bits
        reason = "holds a value that JSON cannot carry"
        raise InvalidRequest(errors=[{"field": "body.custom", "reason": reason}]) from None


class TallyView(View):
    """Reactions: a count per emoji, their sum, and one's own."""

    counts: dict[str, int] = Field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


def tally_view(tally: Tally) -> TallyView:
    """The tally as answered."""
    return TallyView.model_construct(counts=tally.counts, total=tally.total, mine=tally.mine)


def rendered_tally(tally: Tally) -> Rendered[TallyView]:
    """The tally as answered, for the answer of a hot post's thousands."""
    return Rendered(
        orjson.dumps({"counts": tally.counts, "total": tally.total, "mine": tally.mine})
    )


class LinkView(View):
    """A titled link."""

    title: str
    url: str


class MediaView(View):
    """An upload; what a version is not there for is null."""

    media_id: str
    kind: MediaKind
    content_type: str
    size_bytes: int
    width: int | None
    height: int | None
    name: str
    url: str
    large_url: str | None
    thumb_url: str | None


def media_view(attachment: Attachment) -> MediaView:
    """The upload as answered."""
    url = f"/v1/media/{attachment.media_id}"
    is_picture = attachment.kind is MediaKind.IMAGE
    return MediaView.model_construct(
        media_id=attachment.media_id,
        kind=attachment.kind,
        content_type=attachment.content_type,
        size_bytes=attachment.size_bytes,
        width=attachment.width,
        height=attachment.height,
        name=attachment.name,
        url=url,
        large_url=f"{url}?size=large" if is_picture else None,
        thumb_url=f"{url}?size=thumb" if is_picture else None,
    )


class LocationView(View):
    """A place on Earth, in degrees."""

    latitude: float
    longitude: float
    name: str
    address: str


class ContentView(View):
    """What a message or post says; all null once recalled."""

    kind: Kind | None
    title: str | None
    text: str | None
    links: list[LinkView] | None
    images: list[MediaView] | None
    video: MediaView | None
    file: MediaView | None
    location: LocationView | None
    custom: JsonValue


_NOTHING: Final[dict[str, Any]] = dict.fromkeys(ContentView.model_fields)


def content_fields(content: Content | None) -> dict[str, Any]:
    """The fields of a message or post that tell its content; all None once recalled."""
    if content is None:
        return _NOTHING
    fields = _NOTHING | {
        "kind": content.kind,
        "title": content.title or None,
        "text": content.text or None,
        "links": [LinkView.model_construct(title=x.title, url=x.url) for x in content.links],
        "custom": orjson.loads(content.custom_json) if content.custom_json else None,
    }
    if content.location is not None:
        fields["location"] = LocationView.model_construct(**content.location.model_dump())
    if content.media:
        shown = [media_view(attachment) for attachment in content.media]
        name = _FIELD_OF[content.kind]
        fields[name] = shown if name == "images" else shown[0]
    return fields


class MarkedView(ContentView):
    """A message or post with what marks it beside its content; nothing of it once recalled."""

    silent: Annotated[bool, Field(description="Devices should not ring; it counts as unread.")]
    signature: Annotated[
        str | None, Field(description="The author's name as it was then, where a channel signs.")
    ]
    forwarded_from: ForwardedFrom | None
    pinned: bool
    reactions_frozen: Annotated[
        bool, Field(description="Nobody may react any more; taking back is allowed.")
    ]


def marked_fields(message: Message) -> dict[str, Any]:
    """The fields of a message or post that tell its content and its marks."""
    is_shown = message.recalled_at is None
    return content_fields(message.content) | {
        "silent": message.silent and is_shown,
        "signature": (message.signature or None) if is_shown else None,
        "forwarded_from": forwarded_from(message.origin) if is_shown else None,
        "pinned": message.pinned_at is not None and is_shown,
        "reactions_frozen": message.reactions_frozen and is_shown,
    }


class MessageView(MarkedView):
    """A message of a group; recalled, it keeps id, seq and times only."""

    group_id: GroupId
    message_id: str
    seq: int
    sender_id: UserId | None
    sender_name: str | None
    sender_face_url: str | None
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    reactions: TallyView


def message_view(
    message: Message,
    group_id: GroupId,
    tally: Tally | None,
    sender: User | None,
    *,
    with_sender: bool,
) -> MessageView:
    """The message as answered, with what its `sender` told of himself.

    In a channel the sender is shown to owner and admins only.
    """
    is_shown = with_sender and message.recalled_at is None
    return MessageView.model_construct(
        group_id=group_id,
        message_id=f"{group_id}:{message.seq}",
        seq=message.seq,
        sender_id=message.sender_id if is_shown else None,
        sender_name=(sender.name if sender else "") if is_shown else None,
        sender_face_url=(sender.face_url if sender else "") if is_shown else None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        reactions=tally_view(tally if tally and message.recalled_at is None else Tally()),
        **marked_fields(message),
    )
