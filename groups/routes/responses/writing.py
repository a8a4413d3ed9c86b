"""The body of a message, of an edit and of a post; and the fields that go with each kind."""

import json
from typing import Annotated, Any, ClassVar, Final, Self

import orjson
from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from groups.kernel.endpoint import Body
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import AnyIdText
from groups.kernel.text.bounded import Line, Text, json_without_controls
from groups.models import Attachment, Content, Kind, Link, Location, MediaKind
from groups.routes.responses.buttons import ButtonRowsBody, to_rows
from groups.routes.responses.fields import WebAddress
from groups.routes.responses.forwarding import ForwardBody
from groups.routes.responses.polls import PollBody

FIELD_OF: Final = {
    Kind.IMAGE: "images",
    Kind.TEXT_AND_IMAGE: "images",
    Kind.VIDEO: "video",
    Kind.AUDIO: "audio",
    Kind.FILE: "file",
    Kind.LOCATION: "location",
    Kind.POLL: "poll",
    Kind.CUSTOM: "custom",
}
"""The field that a message of this kind is about."""


class LinkBody(Body):
    """A titled link, http or https; `description` and `image` make it a preview of its page."""

    title: Annotated[Line, Field(min_length=1)]
    url: Annotated[WebAddress, Field(min_length=1, examples=["https://example.org/tea"])]
    description: Annotated[Line | None, Field(description="The description that its page has.")] = (
        None
    )
    image: Annotated[AnyIdText | None, Field(description="An upload of yours: a picture.")] = None

    def to_link(self) -> Link:
        """The link as it is stored."""
        return Link(
            title=self.title, url=self.url, description=self.description or "", image=self.image
        )


class LocationBody(Body):
    """A place on Earth, in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Line = ""
    address: Text = ""


class ContentBody(Body):
    """The content, by its kind: a text, uploads (ids that `POST /v1/media` answered), a place, a poll, your own JSON.

    Every kind may carry a title, a text and links; all of it counts against the body limit.
    """

    kind: Kind | None = None
    title: Line = ""
    text: Text = ""
    links: tuple[LinkBody, ...] = ()
    images: Annotated[tuple[AnyIdText, ...], Field(description="For `image`: 1 to 10.")] = ()
    video: Annotated[
        AnyIdText | None, Field(description="For `video`: a film; a sound is accepted, too.")
    ] = None
    poster: Annotated[
        AnyIdText | None,
        Field(
            description="With `video`: an image to show before it plays, such as one of its frames."
        ),
    ] = None
    audio: Annotated[
        AnyIdText | None, Field(description="For `audio`: a sound, such as a voice message.")
    ] = None
    file: AnyIdText | None = None
    location: LocationBody | None = None
    poll: Annotated[PollBody | None, Field(description="For `poll`, in channels and groups.")] = (
        None
    )
    custom: Annotated[
        JsonValue,
        Field(description="Any JSON; its strings and keys hold no control characters either."),
    ] = None
    buttons: Annotated[
        ButtonRowsBody,
        Field(description="Under a post, or a message of a channel in its inbox; not with a poll."),
    ] = ()

    def _check_kind(self, kind: Kind) -> None:
        """Refuse fields that do not go with this kind, and a lack of those that it needs."""
        given = {
            "images": bool(self.images),
            "video": self.video is not None,
            "poster": self.poster is not None,
            "audio": self.audio is not None,
            "file": self.file is not None,
            "location": self.location is not None,
            "poll": self.poll is not None,
            "custom": self.custom is not None,
        }
        needed = FIELD_OF.get(kind)
        # The application's own JSON may go along with any kind.
        allowed = {needed, "custom"} | ({"poster"} if kind is Kind.VIDEO else set())
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
            if is_given and name not in allowed:
                raise PydanticCustomError(
                    "wrong_kind",
                    "{field} does not go with kind {kind}",
                    {"field": name, "kind": kind.value},
                )
        if kind is Kind.FORM_ANSWER:
            raise PydanticCustomError(
                "wrong_kind", "an answer to a form is sent with POST …/forms/{name}/answers"
            )
        if self.buttons and kind is Kind.POLL:
            # One tally counts the votes or the presses of a message.
            raise PydanticCustomError(
                "wrong_kind",
                "{field} does not go with kind {kind}",
                {"field": "buttons", "kind": kind.value},
            )

    def _to_content(self, kind: Kind) -> Content:
        media = [Attachment(media_id=one, kind=MediaKind.IMAGE) for one in self.images]
        if self.video is not None:
            media.append(Attachment(media_id=self.video, kind=MediaKind.VIDEO))
        if self.poster is not None:
            media.append(Attachment(media_id=self.poster, kind=MediaKind.IMAGE))
        if self.audio is not None:
            media.append(Attachment(media_id=self.audio, kind=MediaKind.AUDIO))
        if self.file is not None:
            media.append(Attachment(media_id=self.file, kind=MediaKind.FILE))
        # The last ones, as `Content.link_media` finds them.
        media += [
            Attachment(media_id=link.image, kind=MediaKind.IMAGE)
            for link in self.links
            if link.image is not None
        ]
        return Content(
            kind=kind,
            title=self.title,
            text=self.text,
            links=tuple(link.to_link() for link in self.links),
            media=tuple(media),
            location=None if self.location is None else Location(**self.location.model_dump()),
            poll=None if self.poll is None else self.poll.to_poll(),
            custom_json=None if self.custom is None else dump_json(self.custom),
            buttons=to_rows(self.buttons),
        )


class WriteMessage(ContentBody):
    """The content, by its kind: a text, uploads (ids that `POST /v1/media` answered), a place, your own JSON.

    Every kind may carry a title, a text and links; all of it counts against the body limit.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Hello"},
                {"kind": "custom", "custom": {"order": 7}},
                {"kind": "location", "location": {"latitude": 22.5, "longitude": 114.1}},
                {
                    "kind": "poll",
                    "poll": {"question": "Tea or coffee?", "options": ["Tea", "Coffee"]},
                },
            ]
        }
    )

    kind: Kind

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        self._check_kind(self.kind)
        return self

    def to_content(self) -> Content:
        """The content of the message; its uploads are ids only."""
        return self._to_content(self.kind)


class NewMessage(ContentBody):
    """The content as in `WriteMessage`, or in `forward` a message to copy; with `silent`, devices do not ring.

    With `acknowledge`, a post, or a message of the owner or an admin of a group, asks its readers to acknowledge it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Hello"},
                {"kind": "text", "text": "Good night", "silent": True},
                {"forward": {"channel_id": "@TOA#_news", "seq": 1}},
            ]
        }
    )

    acknowledge: Annotated[
        bool,
        Field(
            description="Ask the readers to acknowledge it. It stays so when the message is edited."
        ),
    ] = False

    beside_forward: ClassVar[frozenset[str]] = frozenset({"forward", "silent"})
    """The fields that go with a forward."""

    forward: ForwardBody | None = None
    silent: Annotated[bool, Field(description="Devices should not ring; it counts as unread.")] = (
        False
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.forward is None:
            if self.kind is None:
                raise PydanticCustomError("no_kind", "kind is needed unless forward is given")
            self._check_kind(self.kind)
        elif self.model_fields_set - self.beside_forward:
            raise PydanticCustomError(
                "forward", "a forward keeps its own content; leave out the other fields"
            )
        return self

    def to_content(self) -> Content:
        """The content of a message that is no forward; its uploads are ids only."""
        if self.kind is None:
            raise TypeError("a forward has no content of its own")
        content = self._to_content(self.kind)
        return content.model_copy(update={"acknowledge": True}) if self.acknowledge else content


class NewChatMessage(NewMessage):
    """As `NewMessage`; `quoted_seq` names the earlier message of the conversation that it answers."""

    quoted_seq: Annotated[
        int | None,
        Field(ge=1, lt=2**53, description="The earlier message that it answers.", examples=[1]),
    ] = None


def dump_json(value: Any) -> str:
    """The application's JSON as compact text."""
    try:
        json.dumps(value, allow_nan=False)  # orjson would write NaN and infinity as null
        text = orjson.dumps(value).decode()
        clean = json_without_controls(value, text)
        return text if clean is value else orjson.dumps(clean).decode()
    except PydanticCustomError:
        reason = "holds a string or key with control characters"
        raise InvalidRequest(errors=[{"field": "body.custom", "reason": reason}]) from None
    except (ValueError, orjson.JSONEncodeError):  # the latter: an integer beyond 64 bits
        reason = "holds a value that JSON cannot carry"
        raise InvalidRequest(errors=[{"field": "body.custom", "reason": reason}]) from None
