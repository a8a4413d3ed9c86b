"""How a tally is answered, wherever one is."""

import orjson
from pydantic import Field

from groups.kernel.endpoint import Rendered, Response
from groups.models import Tally


class TallyResponse(Response):
    """Reactions: a count per emoji, their sum, and one's own."""

    counts: dict[str, int] = Field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


def tally_response(tally: Tally) -> TallyResponse:
    """The tally as answered."""
    return TallyResponse.model_construct(counts=tally.counts, total=tally.total, mine=tally.mine)


def rendered_tally(tally: Tally) -> Rendered[TallyResponse]:
    """The tally as answered, for the answer of a hot post's thousands."""
    return Rendered(
        orjson.dumps({"counts": tally.counts, "total": tally.total, "mine": tally.mine})
    )
