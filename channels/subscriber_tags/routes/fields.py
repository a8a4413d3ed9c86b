"""Tags in bodies, and segments of subscribers, which tags select."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.subscriber_tags.models import TAG_CHARACTERS, TAGS_PER_SUBSCRIBER, Segment
from groups.kernel.endpoint import Body, Response
from groups.kernel.text.bounded import NotBlank

Tag = Annotated[NotBlank, Field(min_length=1, max_length=TAG_CHARACTERS)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=TAGS_PER_SUBSCRIBER)]


def check_once(name: str, tags: tuple[str, ...]) -> None:
    """Refuse tags that name one twice."""
    if len(set(tags)) < len(tags):
        raise PydanticCustomError("twice", "{field} must not name a tag twice", {"field": name})


class SegmentBody(Body):
    """Subscribers, by their tags. Without any tag: all subscribers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"all": ["customer"], "none": ["paused"]}]}
    )

    all: Annotated[Tags, Field(description="Those who have every one of these tags.")] = ()
    any: Annotated[Tags, Field(description="Those who have one of these tags at least.")] = ()
    none: Annotated[Tags, Field(description="Those who have none of these tags.")] = ()

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        for name in ("all", "any", "none"):
            check_once(name, getattr(self, name))
        return self

    def to_segment(self) -> Segment:
        """The segment that the body describes."""
        return Segment(all=self.all, any=self.any, none=self.none)


class SegmentResponse(Response):
    """The tags that select the subscribers; none at all: all of them."""

    all: tuple[str, ...]
    any: tuple[str, ...]
    none: tuple[str, ...]


def segment_response(segment: Segment) -> SegmentResponse:
    """The response for a segment."""
    return SegmentResponse.model_construct(all=segment.all, any=segment.any, none=segment.none)
