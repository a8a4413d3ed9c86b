"""What the calls on messages take and answer."""

import json
from typing import Annotated, Any, Self

import orjson
from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from groups.kernel.endpoint import Body, Rendered, View
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    Content,
    Kind,
    Link,
    Message,
    Tally,
)
from groups.routes.views.fields import Instant, WebAddress


class LinkBody(Body):
    """A titled link, http or https."""

    title: Annotated[str, Field(min_length=1)]
    url: Annotated[WebAddress, Field(min_length=1, examples=["https://example.org/tea"])]


class WriteMessage(Body):
    """What to say: a text with links, or the application's own JSON; all of it counts against the body limit."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "text", "text": "Hello"},
                {"kind": "custom", "custom": {"order": 7}},
            ]
        }
    )

    kind: Kind
    title: str = ""
    text: str = ""
    links: tuple[LinkBody, ...] = ()
    custom: JsonValue = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.kind is Kind.TEXT and not self.text.strip():
            raise PydanticCustomError("empty_text", "text must not be empty for kind text")
        if self.kind is Kind.CUSTOM and self.custom is None:
            raise PydanticCustomError("empty_custom", "custom must not be empty for kind custom")
        return self

    def to_content(self) -> Content:
        """The content that the message will carry."""
        return Content(
            kind=self.kind,
            title=self.title,
            text=self.text,
            links=tuple(Link(title=link.title, url=link.url) for link in self.links),
            custom_json=None if self.custom is None else dump_json(self.custom),
        )


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


def content_fields(content: Content | None) -> dict[str, Any]:
    """The fields of a message or post that tell its content; all None once recalled."""
    if content is None:
        return {"kind": None, "title": None, "text": None, "links": None, "custom": None}
    return {
        "kind": content.kind,
        "title": content.title or None,
        "text": content.text or None,
        "links": [LinkView.model_construct(title=x.title, url=x.url) for x in content.links],
        "custom": orjson.loads(content.custom_json) if content.custom_json else None,
    }


class MessageView(View):
    """A message of a group; recalled, it keeps id, seq and times only."""

    group_id: GroupId
    message_id: str
    seq: int
    sender_id: UserId | None
    kind: Kind | None
    title: str | None
    text: str | None
    links: list[LinkView] | None
    custom: JsonValue
    created_at: Instant
    edited_at: Instant | None
    recalled_at: Instant | None
    reactions: TallyView


def message_view(
    message: Message, group_id: GroupId, tally: Tally | None, *, with_sender: bool
) -> MessageView:
    """The message as answered; in a channel the sender is shown to owner and admins only."""
    is_shown = with_sender and message.recalled_at is None
    return MessageView.model_construct(
        group_id=group_id,
        message_id=f"{group_id}:{message.seq}",
        seq=message.seq,
        sender_id=message.sender_id if is_shown else None,
        created_at=message.created_at,
        edited_at=message.edited_at,
        recalled_at=message.recalled_at,
        reactions=tally_view(tally if tally and message.recalled_at is None else Tally()),
        **content_fields(message.content),
    )
