"""Responses that show messages; `channels` shows posts with the same parts."""

from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import orjson
from pydantic import Field, JsonValue

from groups.kernel.endpoint import Response
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    AccessContext,
    Attachment,
    Content,
    Kind,
    LastMessage,
    MediaKind,
    Message,
    Tally,
    User,
    poll_of,
    poster_url,
)
from groups.routes.responses.buttons import ButtonResponse, button_responses
from groups.routes.responses.fields import Instant, MessageVersion
from groups.routes.responses.forwarding import ForwardedFrom, forwarded_from
from groups.routes.responses.polls import PollResponse
from groups.routes.responses.tallies import (
    AcknowledgeResponse,
    TallyResponse,
    acknowledge_response,
    tally_response,
)
from groups.routes.responses.writing import FIELD_OF
from groups.service.messages.pages import StreamPage


class MediaResponse(Response):
    """An upload; the address of a version that does not exist is null."""

    media_id: str
    kind: MediaKind
    content_type: str
    size_bytes: int
    width: int | None
    height: int | None
    duration_seconds: Annotated[
        float | None,
        Field(
            description="How long a sound or video lasts, as its file says; null where it is not known."
        ),
    ]
    name: str
    url: str
    large_url: str | None
    thumb_url: str | None
    poster_url: Annotated[
        str | None,
        Field(
            description="Of a video: the picture to show before it plays. The one that was sent with it, else the "
            "cover that its file carries, else null."
        ),
    ]
    poster_id: Annotated[
        str | None,
        Field(
            description="Of a video: the upload that was sent as its `poster`; an edit repeats it."
        ),
    ]


def media_response(attachment: Attachment, poster: Attachment | None = None) -> MediaResponse:
    """The response for an upload; `poster` is the picture that was sent with a video."""
    url = f"/v1/media/{attachment.media_id}"
    is_image = attachment.kind is MediaKind.IMAGE
    return MediaResponse.model_construct(
        media_id=attachment.media_id,
        kind=attachment.kind,
        content_type=attachment.content_type,
        size_bytes=attachment.size_bytes,
        width=attachment.width,
        height=attachment.height,
        duration_seconds=attachment.duration_seconds,
        name=attachment.name,
        url=url,
        large_url=f"{url}?size=large" if is_image else None,
        thumb_url=f"{url}?size=thumb" if is_image else None,
        poster_url=poster_url(attachment, poster),
        poster_id=poster.media_id if poster else None,
    )


class LinkResponse(Response):
    """A titled link. The preview of its page is null where the author gave none."""

    title: str
    url: str
    description: str | None
    image: MediaResponse | None


def link_responses(content: Content) -> list[LinkResponse]:
    """The responses for the links of the content, with their pictures."""
    return [
        LinkResponse.model_construct(
            title=link.title,
            url=link.url,
            description=link.description or None,
            image=media_response(picture) if picture is not None else None,
        )
        for link, picture in zip(content.links, content.link_media, strict=True)
    ]


class LocationResponse(Response):
    """A place on Earth, in degrees."""

    latitude: float
    longitude: float
    name: str
    address: str


class FormAnswerValueResponse(Response):
    """The value of one field of a form, with the field's label as it was."""

    name: str
    label: str
    value: str


class FormAnswerResponse(Response):
    """A user's answer to a form of the channel, with the title as it was; without fields that they left empty."""

    form: Annotated[str, Field(description="The name of the form.")]
    title: str
    answers: list[FormAnswerValueResponse]


class ContentResponse(Response):
    """The content of a message or post; all null once recalled."""

    kind: Kind | None
    title: str | None
    text: str | None
    links: list[LinkResponse] | None
    images: list[MediaResponse] | None
    video: MediaResponse | None
    audio: MediaResponse | None
    file: MediaResponse | None
    location: LocationResponse | None
    poll: PollResponse | None
    custom: JsonValue
    form_answer: FormAnswerResponse | None
    buttons: Annotated[
        list[list[ButtonResponse]] | None,
        Field(description="Rows of buttons under it, from top to bottom; null: it has none."),
    ]


_NOTHING: Final[dict[str, Any]] = dict.fromkeys(ContentResponse.model_fields)


def content_fields(content: Content | None, tally: Tally | None = None) -> dict[str, Any]:
    """The fields of `ContentResponse`; all None once recalled. A poll is left to those who know its reader.

    `tally` counts the presses of buttons, with those of the reader; without it, the reader may be anybody.
    """
    if content is None:
        return _NOTHING
    fields = _NOTHING | {
        "kind": content.kind,
        "title": content.title or None,
        "text": content.text or None,
        "links": link_responses(content) if content.links else [],
        "custom": orjson.loads(content.custom_json) if content.custom_json else None,
    }
    if content.location is not None:
        fields["location"] = LocationResponse.model_construct(**content.location.model_dump())
    own_media = content.own_media
    if own_media:
        name = FIELD_OF[content.kind]
        fields[name] = (
            [media_response(attachment) for attachment in own_media]
            if name == "images"
            else media_response(own_media[0], content.poster)
        )
    answer = content.form_answer
    if answer is not None:
        values = [FormAnswerValueResponse.model_construct(**dict(each)) for each in answer.answers]
        fields["form_answer"] = FormAnswerResponse.model_construct(
            form=answer.form, title=answer.title, answers=values
        )
    if content.buttons:
        fields["buttons"] = button_responses(content.buttons, tally)
    return fields


T = TypeVar("T")


class NewestMessage(Response):
    """The newest message, as lists show it."""

    seq: int
    preview: Annotated[
        str, Field(description="One line of its text; `[image]` and the like where it has none.")
    ]
    kind: Annotated[
        Kind | None,
        Field(description="null where it was deleted, or an older version of the server wrote it."),
    ]
    recalled: Annotated[bool, Field(description="It was deleted for everyone.")]
    at: Instant


def newest_fields(last: LastMessage) -> dict[str, Any]:
    """The fields of `NewestMessage`."""
    return {
        "seq": last.seq,
        "preview": last.preview,
        "kind": last.kind,
        "recalled": last.is_recalled,
        "at": last.at,
    }


class HistoryPage(Response, Generic[T]):
    """A page of messages, newest first; with `changed_since` in the order of their changes."""

    items: list[T]
    next_cursor: Annotated[
        str | None, Field(description="Goes on in the same direction; null at the end.")
    ]
    newer_cursor: Annotated[
        str | None,
        Field(
            description="With `around` and `around_seq`: goes on with the newer ones; null where there are none."
        ),
    ]
    first_unread_seq: Annotated[
        int | None,
        Field(description="With `around=unread`: the first unread one; null where all are read."),
    ]
    version: Annotated[
        int | None,
        Field(description="With `changed_since`: you have all changes up to this version now."),
    ]


def history_fields(page: StreamPage) -> dict[str, Any]:
    """The fields of `HistoryPage`."""
    return {
        "next_cursor": page.next_cursor,
        "newer_cursor": page.newer_cursor,
        "first_unread_seq": page.first_unread_seq,
        "version": page.version,
    }


class MarkedResponse(ContentResponse):
    """The content and the marks of a message or post; a recalled one has neither."""

    silent: Annotated[bool, Field(description="Devices should not ring; it counts as unread.")]
    signature: Annotated[
        str | None, Field(description="The author's name as it was then, where a channel signs.")
    ]
    forwarded_from: ForwardedFrom | None
    acknowledge: Annotated[
        AcknowledgeResponse | None,
        Field(description="It asks its readers to acknowledge it; null: it does not."),
    ]
    pinned: bool
    reactions_frozen: Annotated[
        bool, Field(description="Nobody may react any more; reactions may be removed.")
    ]


def marked_fields(
    message: Message, poll: PollResponse | None, tally: Tally | None
) -> dict[str, Any]:
    """The fields of `MarkedResponse`. `poll`: its poll as its reader sees it; `tally`: as for `content_fields`."""
    is_shown, content = message.recalled_at is None, message.content
    asks = content is not None and content.acknowledge
    return content_fields(content, tally) | {
        "poll": poll,
        "acknowledge": acknowledge_response(tally or Tally()) if asks else None,
        "silent": message.silent and is_shown,
        "signature": (message.signature or None) if is_shown else None,
        "forwarded_from": forwarded_from(message.origin) if is_shown else None,
        "pinned": message.pinned_at is not None and is_shown,
        "reactions_frozen": message.reactions_frozen and is_shown,
    }


QuotedSeq = Annotated[
    int | None,
    Field(
        description="The earlier message of the conversation that it answers, which may be deleted since; null: none."
    ),
]


def poll_seen_by(
    access: AccessContext, message: Message, tally: Tally | None, now: datetime
) -> PollResponse | None:
    """The message's poll, if it is one, for a reader with this access."""
    poll = poll_of(message)
    return PollResponse.seen_by(access, poll, tally or Tally(), now) if poll is not None else None


def uncounted_poll(message: Message, now: datetime) -> PollResponse | None:
    """The message's poll, if it is one, without counts: for events, which have many receivers."""
    poll = poll_of(message)
    return PollResponse.uncounted(poll, now) if poll is not None else None


class MessageResponse(MarkedResponse):
    """A message of a group; recalled, it keeps id, seq and times only."""

    group_id: GroupId
    message_id: str
    seq: int
    sender_id: UserId | None
    sender_name: str | None
    sender_face_url: str | None
    quoted_seq: QuotedSeq
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    version: MessageVersion
    reactions: TallyResponse


class GroupMessagePage(HistoryPage[MessageResponse]):
    """A page of messages of a group."""


def message_response(
    message: Message,
    group_id: GroupId,
    tally: Tally | None,
    sender: User | None,
    *,
    with_sender: bool,
    poll: PollResponse | None,
) -> MessageResponse:
    """The message with the profile of its `sender`, who in a channel is shown to owner and admins only.

    `poll` is its poll as the reader sees it.
    """
    is_shown = with_sender and message.recalled_at is None
    return MessageResponse.model_construct(
        group_id=group_id,
        message_id=f"{group_id}:{message.seq}",
        seq=message.seq,
        sender_id=message.sender_id if is_shown else None,
        sender_name=(sender.name if sender else "") if is_shown else None,
        sender_face_url=(sender.face_url if sender else "") if is_shown else None,
        quoted_seq=message.quoted_seq if message.recalled_at is None else None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        version=message.changed_version,
        reactions=tally_response(tally if tally and message.recalled_at is None else Tally()),
        **marked_fields(message, poll, tally),
    )
