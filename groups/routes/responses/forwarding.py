"""The body of a forward, and the origin that a forwarded message shows."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import GROUP_ID_BYTES, UNSEEN, AnyIdText, GroupId, GroupIdText, StreamId
from groups.kernel.text.bounded import SchemaHint
from groups.models import Origin, Source
from groups.routes.responses.fields import SHORT_CHANNEL_ID_BYTES, expanded

_MIDDLE_CHARACTERS: Final = SHORT_CHANNEL_ID_BYTES - 2
_CHANNEL_ID: Final = SchemaHint(
    # With its prefix, or so much shorter.
    rf"^(?!\.{{1,2}}$)(@[^{UNSEEN}]*|[^ {UNSEEN}][^{UNSEEN}]{{0,{_MIDDLE_CHARACTERS}}}|)[^ {UNSEEN}]$",
    GROUP_ID_BYTES,
)


class ForwardBody(Body):
    """The message to copy: of a group, of a channel, or of one of the caller's own conversations."""

    channel_id: Annotated[
        Annotated[GroupIdText, AfterValidator(expanded), _CHANNEL_ID] | None,
        Field(description="In full, or without its prefix (`news`).", examples=["@TOA#_news"]),
    ] = None
    group_id: GroupIdText | None = None
    conversation_id: Annotated[AnyIdText | None, Field(examples=["c2c_bob"])] = None
    seq: Annotated[int, Field(ge=1, lt=2**53, examples=[1])]

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        named = (self.channel_id, self.group_id, self.conversation_id)
        if sum(each is not None for each in named) != 1:
            raise PydanticCustomError(
                "source", "give exactly one of channel_id, group_id, conversation_id"
            )
        return self

    @property
    def source(self) -> Source:
        if self.conversation_id is not None:
            return Source(None, StreamId(self.conversation_id), self.seq)
        return Source(GroupId(self.channel_id or self.group_id or ""), None, self.seq)


class ForwardedFrom(Response):
    """The place where a forwarded message was first written; all null where that is private."""

    channel_id: GroupId | None
    group_id: GroupId | None
    name: Annotated[str | None, Field(description="Of the channel or group, as it was then.")]
    seq: int | None
    message_id: Annotated[str | None, Field(description="In a channel the post's id.")]


def forwarded_from(origin: Origin | None) -> ForwardedFrom | None:
    """The response for an origin."""
    if origin is None:
        return None
    group_id = origin.group_id
    return ForwardedFrom.model_construct(
        channel_id=group_id if origin.is_channel else None,
        group_id=None if origin.is_channel else group_id,
        name=origin.name,
        seq=origin.seq,
        message_id=f"{group_id}:{origin.seq}" if group_id is not None else None,
    )
