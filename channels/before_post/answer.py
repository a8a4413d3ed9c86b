"""The answer of a review: read strictly, since what is misread would be stored.

Promises: whatever is answered, it is an `Answer` or a `BadAnswer`. Changed content obeys the rules of an edit.
"""

import re
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from channels.before_post.models import TEXT_CHARACTERS
from groups.kernel.errors import DomainError
from groups.kernel.text.bounded import LIMITS
from groups.limits import GroupLimits
from groups.models import Content, MediaKind
from groups.routes.responses.buttons import FIELD_OF_ACTION
from groups.routes.responses.writing import LinkBody, WriteMessage
from groups.service.messages.posting import check_bounds

_UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
"""Characters that a reason for people does not need: controls, and what turns the direction of text."""


class BadAnswer(Exception):
    """The answer cannot be understood, or wants content that a message cannot have; the text says why."""


class Changes(BaseModel):
    """The fields of the content to store instead. What is absent stays; uploads, places and polls stay always."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str | None = None
    text: str | None = None
    links: tuple[LinkBody, ...] | None = None
    custom: JsonValue = None


class Answer(BaseModel):
    """The decision of the back end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Literal["allow", "refuse"]
    text: Annotated[str | None, Field(description="Why it is refused, for the writer.")] = None
    changes: Changes | None = None

    @property
    def reason(self) -> str:
        """The text as the writer gets it: plain, and bounded."""
        return _UNSEEN.sub("", self.text or "").strip()[:TEXT_CHARACTERS]


def answer_of(body: bytes) -> Answer:
    """Read an answer. Raises: BadAnswer."""
    try:
        return Answer.model_validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise BadAnswer(f"{place}: {first['msg']}") from error
    except RecursionError as error:
        raise BadAnswer("it is nested too deeply") from error


def changed(content: Content, changes: Changes, limits: GroupLimits) -> Content:
    """The content with these changes, as an edit would have it. Raises: BadAnswer."""
    given: dict[str, Any] = changes.model_dump(mode="json", exclude_unset=True)
    if not given:
        return content
    try:
        body = WriteMessage.model_validate_json(
            orjson.dumps({**_as_body(content), **given}), context={LIMITS: limits}, strict=True
        )
        wanted = body.to_content()
        # Its uploads, its place and its poll are those of the message, as they are described there.
        wanted = _with_uploads_of(content, wanted)
        check_bounds(wanted, limits)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadAnswer(f"changes: {first['msg']}") from error
    except (DomainError, orjson.JSONEncodeError, RecursionError) as error:
        raise BadAnswer(f"changes: {str(error) or type(error).__name__}") from error
    return wanted


def _with_uploads_of(content: Content, wanted: Content) -> Content:
    """The wanted content with the message's uploads, place and poll.

    A link keeps a picture that the writer gave a link.
    """
    pictures = {one.media_id: one for one in content.link_media if one is not None}
    links = tuple(
        link if link.image in pictures else link.model_copy(update={"image": None})
        for link in wanted.links
    )
    of_links = [pictures[link.image] for link in links if link.image is not None]
    media = (*content.own_media, *of_links)
    return wanted.model_copy(
        update={
            "links": links,
            "media": media,
            "location": content.location,
            "poll": content.poll,
            "acknowledge": content.acknowledge,
        }
    )


def _as_body(content: Content) -> dict[str, Any]:
    """The body that would write this content."""
    body: dict[str, Any] = {
        "kind": content.kind.value,
        "title": content.title,
        "text": content.text,
        "links": [link.model_dump(mode="json") for link in content.links],
        "images": [
            one.media_id
            for one in content.own_media
            if one.kind is MediaKind.IMAGE and one is not content.poster
        ],
    }
    if content.poster is not None:
        body["poster"] = content.poster.media_id
    for kind in (MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.FILE):
        for attachment in content.own_media:
            if attachment.kind is kind:
                body[kind.value] = attachment.media_id
    if content.location is not None:
        body["location"] = content.location.model_dump(mode="json")
    if content.poll is not None:
        body["poll"] = content.poll.model_dump(mode="json")
    if content.buttons:
        body["buttons"] = [
            [
                {
                    "text": button.text,
                    "kind": button.action.kind.value,
                    FIELD_OF_ACTION[button.action.kind]: button.action.value,
                }
                for button in row
            ]
            for row in content.buttons
        ]
    if content.custom_json is not None:
        body["custom"] = orjson.loads(content.custom_json)
    return body
