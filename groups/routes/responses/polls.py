"""Polls in bodies and responses.

Readers of one poll differ in their own votes, in whether they see the results, and by the clock in whether it is
closed. `PollJson` renders all but the reader's own votes once for each of these cases.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

import orjson
from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from groups import policy
from groups.kernel.clock import rfc3339
from groups.kernel.endpoint import Body, Rendered, Response
from groups.kernel.text.bounded import MaxBytes, NotBlank, folded
from groups.limits import POLL_OPTION_BYTES, POLL_QUESTION_BYTES
from groups.models import AccessContext, Poll, PollResults, Tally
from groups.routes.responses.fields import Instant, InstantText

_LEAST_OPTIONS: Final = 2
OptionText = Annotated[NotBlank, MaxBytes("poll_option_bytes", POLL_OPTION_BYTES)]


class PollBody(Body):
    """A poll: a question with answers to choose from. All but `closes_at` is fixed once it is posted."""

    question: Annotated[
        NotBlank,
        MaxBytes("poll_question_bytes", POLL_QUESTION_BYTES),
        Field(examples=["Tea or coffee?"]),
    ]
    options: Annotated[
        tuple[OptionText, ...],
        Field(
            min_length=_LEAST_OPTIONS,
            description="2 to 12 different answers.",
            examples=[["Tea", "Coffee"]],
        ),
    ]
    multiple: Annotated[bool, Field(description="A voter may choose several options.")] = False
    closes_at: Annotated[
        InstantText | None,
        Field(description="From then on it takes no votes; null: it stays open."),
    ] = None
    results: Annotated[
        PollResults,
        Field(description="When subscribers and members see how many chose each option."),
    ] = PollResults.ALWAYS

    @field_validator("options")
    @classmethod
    def _distinct(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        if len({folded(option) for option in options}) < len(options):
            raise PydanticCustomError("same_option", "must differ from each other")
        return options

    def to_poll(self) -> Poll:
        """The poll as it is stored."""
        return Poll(
            question=self.question,
            options=self.options,
            multiple=self.multiple,
            closes_at=self.closes_at,
            results=self.results,
        )


class PollOptionResponse(Response):
    """One answer of a poll."""

    text: str
    votes: Annotated[
        int | None, Field(description="How many chose it; null while you do not see the results.")
    ]


class PollResponse(Response):
    """A poll as you see it. In events and drafts there are no counts, and no votes of yours."""

    question: str
    options: list[PollOptionResponse]
    voters: Annotated[
        int | None, Field(description="How many voted; null while you do not see the results.")
    ]
    multiple: Annotated[bool, Field(description="A voter may choose several options.")]
    closes_at: Instant | None
    closed: Annotated[bool, Field(description="It takes no more votes.")]
    results: PollResults
    mine: Annotated[
        tuple[int, ...], Field(description="The options that you chose, by their place from 0.")
    ]

    @classmethod
    def uncounted(cls, poll: Poll, now: datetime) -> "PollResponse":
        """The poll without counts, for those who may be anybody."""
        return cls._of(poll, None, now, ())

    @classmethod
    def seen_by(
        cls, access: AccessContext, poll: Poll, tally: Tally, now: datetime
    ) -> "PollResponse":
        """The poll for a reader with this access, whose votes are in the tally."""
        has_voted = bool(tally.my_votes)
        is_counted = policy.sees_results(access, poll, now, has_voted=has_voted)
        return cls._of(poll, tally if is_counted else None, now, tally.my_votes)

    @classmethod
    def _of(
        cls, poll: Poll, tally: Tally | None, now: datetime, mine: tuple[int, ...]
    ) -> "PollResponse":
        return cls.model_construct(
            question=poll.question,
            options=[
                PollOptionResponse.model_construct(
                    text=text, votes=None if tally is None else tally.votes.get(index, 0)
                )
                for index, text in enumerate(poll.options)
            ],
            voters=None if tally is None else tally.voters,
            multiple=poll.multiple,
            closes_at=poll.closes_at,
            closed=poll.is_closed(now),
            results=poll.results,
            mine=mine,
        )


class VoteBody(Body):
    """A vote: the options, by their place from 0; more than one only where the poll allows several."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"options": [0]}]})

    options: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=100)], ...],
        Field(min_length=1, max_length=100),
    ]


@dataclass(slots=True)
class PollJson:
    """The JSON of a poll for all its readers, made when the first one of a case needs it."""

    poll: Poll
    tally: Tally
    _beginnings: dict[tuple[bool, bool], bytes] = field(default_factory=dict)
    """Up to the reader's own votes, by whether the counts are shown and whether it is closed."""

    def seen_by(self, access: AccessContext, now: datetime, mine: tuple[int, ...]) -> bytes:
        """The poll for a reader with this access who chose these options."""
        is_counted = policy.sees_results(access, self.poll, now, has_voted=bool(mine))
        case = is_counted, self.poll.is_closed(now)
        beginning = self._beginnings.get(case)
        if beginning is None:
            beginning = self._beginnings[case] = self._beginning(*case)
        return b"%b%b}" % (beginning, orjson.dumps(mine))

    def _beginning(self, is_counted: bool, is_closed: bool) -> bytes:
        poll, tally = self.poll, self.tally
        shown = {
            "question": poll.question,
            "options": [
                {"text": text, "votes": tally.votes.get(index, 0) if is_counted else None}
                for index, text in enumerate(poll.options)
            ],
            "voters": tally.voters if is_counted else None,
            "multiple": poll.multiple,
            "closes_at": rfc3339(poll.closes_at) if poll.closes_at is not None else None,
            "closed": is_closed,
            "results": poll.results.value,
        }
        return orjson.dumps(shown).removesuffix(b"}") + b',"mine":'

    @property
    def memory_bytes(self) -> int:
        """The estimated memory, with the JSON of the cases that one page has in turn."""
        texts = len(self.poll.question) + sum(map(len, self.poll.options))
        return 1_000 + 12 * texts + 60 * len(self.poll.options)


def rendered_poll(
    access: AccessContext, poll: Poll, tally: Tally, now: datetime
) -> Rendered[PollResponse]:
    """As `PollResponse.seen_by`, without a model in between: a hot poll answers thousands of votes."""
    return Rendered(PollJson(poll, tally).seen_by(access, now, tally.my_votes))
