"""The tally of a message, in every response that has one."""

import orjson
from pydantic import Field

from groups.kernel.endpoint import Rendered, Response
from groups.models import Tally


class TallyResponse(Response):
    """Reactions: a count for each emoji, their sum, and the caller's own."""

    counts: dict[str, int] = Field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


class AcknowledgeResponse(Response):
    """The message asks its readers to acknowledge it: how many did, and whether you did."""

    count: int
    mine: bool


def acknowledge_response(tally: Tally) -> AcknowledgeResponse:
    """The response for the acknowledgements in a tally."""
    return AcknowledgeResponse.model_construct(count=tally.acknowledged, mine=tally.is_acknowledged)


def acknowledge_json(count: int, *, mine: bool) -> bytes:
    """As `acknowledge_response`, as JSON."""
    return b'{"count":%d,"mine":%b}' % (count, b"true" if mine else b"false")


def tally_response(tally: Tally) -> TallyResponse:
    """The response for a tally."""
    return TallyResponse.model_construct(counts=tally.counts, total=tally.total, mine=tally.mine)


def rendered_tally(tally: Tally) -> Rendered[TallyResponse]:
    """The tally as JSON, without a model in between: a hot post answers thousands of reactions."""
    return Rendered(
        orjson.dumps({"counts": tally.counts, "total": tally.total, "mine": tally.mine})
    )
