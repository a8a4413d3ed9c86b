"""Bodies and responses of automatic messages."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self, cast, get_args

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.self_service.automatic_messages.matching import words_in
from channels.self_service.automatic_messages.models import (
    AutomaticMessage,
    Match,
    OpeningHours,
    OpenTime,
)
from channels.self_service.automatic_messages.opening_hours import (
    MINUTES_A_DAY,
    opens_at,
    zone_of,
)
from channels.self_service.automatic_messages.service import RuleValues
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import GroupId, UserId
from groups.kernel.text.bounded import MaxBytes, NotBlank, Text
from groups.limits import MESSAGE_BODY_BYTES
from groups.models import Content, Kind
from groups.routes.responses.buttons import (
    ButtonResponse,
    ButtonRowsBody,
    button_responses,
    to_rows,
)
from groups.routes.responses.fields import Instant

KEYWORDS: Final = 10
KEYWORD_CHARACTERS: Final = 100
TIMES_A_DAY: Final = 4
CLOSED_DATES: Final = 100
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final = cast(tuple[Weekday, ...], get_args(Weekday))


class AutomaticContent(Body):
    """The message that is sent: a text, and buttons."""

    text: Annotated[Text, Field(min_length=1), MaxBytes("message_body_bytes", MESSAGE_BODY_BYTES)]
    buttons: ButtonRowsBody | None = None

    def to_content(self) -> Content:
        return Content(
            kind=Kind.TEXT, text=self.text, buttons=to_rows(self.buttons) if self.buttons else ()
        )


class PutGreeting(AutomaticContent):
    """The greeting of new subscribers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "text": "Welcome! What can we do for you?",
                    "buttons": [[{"text": "Today's menu", "kind": "reply", "reply": "menu"}]],
                }
            ]
        }
    )

    def to_values(self) -> RuleValues:
        return RuleValues(content=self.to_content())


def _says_something(keyword: str) -> str:
    if not words_in(keyword):
        raise PydanticCustomError("no_word", "must have a letter, a digit or an emoji")
    return keyword


Keyword = Annotated[NotBlank, Field(max_length=KEYWORD_CHARACTERS), AfterValidator(_says_something)]


class PutAutoReply(Body):
    """An automatic answer, and the keywords that it answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"keywords": ["price", "cost"], "answer": {"text": "Tea is 3 euros."}}]
        }
    )

    keywords: Annotated[tuple[Keyword, ...], Field(min_length=1, max_length=KEYWORDS)]
    match: Annotated[
        Match,
        Field(
            description="`contains`: the keyword is in the message, as whole words. `exact`: it is the"
            " message. Case, accents and punctuation do not count."
        ),
    ] = Match.CONTAINS
    answer: AutomaticContent
    enabled: bool = True

    def to_values(self) -> RuleValues:
        return RuleValues(
            content=self.answer.to_content(),
            enabled=self.enabled,
            keywords=self.keywords,
            match=self.match,
        )


ClockTime = Annotated[
    str,
    Field(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        max_length=5,
        description="Hours and minutes, from `00:00` to `24:00`.",
        examples=["09:00"],
    ),
]


def _zone(name: str) -> str:
    if zone_of(name) is None:
        raise PydanticCustomError("time_zone", "must be the name of a time zone: Europe/Berlin")
    return name


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("date", "must be a date that exists: 2026-12-25") from None
    return text


FromTo = Annotated[
    tuple[ClockTime, ...], Field(min_length=2, max_length=2, description="From and to.")
]
Times = Annotated[tuple[FromTo, ...], Field(max_length=TIMES_A_DAY)]
ClosedDate = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10, examples=["2026-12-25"]),
    AfterValidator(_date),
]


class Weekly(Body):
    """The times of each day of the week; a day without any is closed."""

    mon: Times = ()
    tue: Times = ()
    wed: Times = ()
    thu: Times = ()
    fri: Times = ()
    sat: Times = ()
    sun: Times = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for day in WEEKDAYS:
            before = -1
            for start, end in _minutes_of(getattr(self, day)):
                if not before < start < end:
                    raise PydanticCustomError(
                        "times", "{day} needs times in order, which do not touch", {"day": day}
                    )
                before = end
        return self


class PutOpeningHours(Body):
    """When the channel is open, and what it answers when it is not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "time_zone": "Europe/Berlin",
                    "weekly": {"mon": [["09:00", "12:30"], ["13:30", "18:00"]]},
                    "closed_dates": ["2026-12-25"],
                    "away": {"text": "We are closed, and answer in the morning."},
                }
            ]
        }
    )

    time_zone: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$",
            max_length=64,
            description="A name of the IANA time zones.",
        ),
        AfterValidator(_zone),
    ]
    weekly: Weekly
    closed_dates: Annotated[
        tuple[ClosedDate, ...],
        Field(max_length=CLOSED_DATES, description="Dates on which it is closed all day."),
    ] = ()
    away: AutomaticContent
    enabled: bool = True

    def to_values(self) -> RuleValues:
        hours = OpeningHours(
            time_zone=self.time_zone,
            times=tuple(
                OpenTime(day=number, start=start, end=end)
                for number, day in enumerate(WEEKDAYS)
                for start, end in _minutes_of(getattr(self.weekly, day))
            ),
            closed_dates=tuple(sorted(set(self.closed_dates))),
        )
        return RuleValues(content=self.away.to_content(), enabled=self.enabled, hours=hours)


class AutomaticContentResponse(Response):
    """The message that is sent."""

    text: str
    buttons: list[list[ButtonResponse]] | None


class GreetingResponse(Response):
    """The greeting of new subscribers. Without one, all but the id is null."""

    channel_id: GroupId
    text: str | None
    buttons: list[list[ButtonResponse]] | None
    changed_at: Instant | None
    changed_by: UserId | None


class AutoReplyResponse(Response):
    """An automatic answer."""

    channel_id: GroupId
    name: str
    keywords: tuple[str, ...]
    match: Match
    answer: AutomaticContentResponse
    enabled: bool
    changed_at: Instant
    changed_by: UserId


class WeeklyResponse(Response):
    """The times of each day of the week; a day without any is closed."""

    mon: list[list[str]]
    tue: list[list[str]]
    wed: list[list[str]]
    thu: list[list[str]]
    fri: list[list[str]]
    sat: list[list[str]]
    sun: list[list[str]]


class OpeningHoursResponse(Response):
    """When the channel is open, and what it answers when it is not. Without hours, `time_zone` and `away` are null."""

    channel_id: GroupId
    time_zone: str | None
    weekly: WeeklyResponse
    closed_dates: tuple[str, ...]
    away: AutomaticContentResponse | None
    enabled: bool
    is_open: Annotated[bool, Field(description="Whether the channel is open now.")]
    changed_at: Instant | None
    changed_by: UserId | None


def _content_fields(content: Content) -> dict[str, Any]:
    rows = button_responses(content.buttons, None) if content.buttons else None
    return {"text": content.text, "buttons": rows}


def _content_response(content: Content) -> AutomaticContentResponse:
    return AutomaticContentResponse.model_construct(**_content_fields(content))


def greeting_response(channel_id: GroupId, message: AutomaticMessage | None) -> GreetingResponse:
    """Build the response of a greeting, or of none."""
    none = {"text": None, "buttons": None}
    return GreetingResponse.model_construct(
        **(_content_fields(message.content) if message else none),
        channel_id=channel_id,
        changed_at=message.changed_at if message else None,
        changed_by=message.changed_by if message else None,
    )


def auto_reply_response(message: AutomaticMessage) -> AutoReplyResponse:
    """Build the response of an automatic answer."""
    return AutoReplyResponse.model_construct(
        channel_id=message.channel_id,
        name=message.name,
        keywords=message.keywords,
        match=message.match,
        answer=_content_response(message.content),
        enabled=message.enabled,
        changed_at=message.changed_at,
        changed_by=message.changed_by,
    )


def opening_hours_response(
    channel_id: GroupId, message: AutomaticMessage | None, now: datetime
) -> OpeningHoursResponse:
    """Build the response of opening hours, or of none; `now` decides whether the channel is open."""
    hours = message.hours if message is not None else None
    days: dict[str, list[list[str]]] = {day: [] for day in WEEKDAYS}
    for each in hours.times if hours is not None else ():
        days[WEEKDAYS[each.day]].append([_clock_time(each.start), _clock_time(each.end)])
    return OpeningHoursResponse.model_construct(
        channel_id=channel_id,
        time_zone=hours.time_zone if hours else None,
        weekly=WeeklyResponse.model_validate(days),
        closed_dates=hours.closed_dates if hours else (),
        away=_content_response(message.content) if message else None,
        enabled=message.enabled if message else False,
        is_open=hours is None or opens_at(hours, now) is None,
        changed_at=message.changed_at if message else None,
        changed_by=message.changed_by if message else None,
    )


def _minutes_of(times: tuple[tuple[str, ...], ...]) -> list[tuple[int, int]]:
    return [(_minute_of(start), _minute_of(end)) for start, end in times]


def _minute_of(text: str) -> int:
    hours, minutes = text.split(":")
    return min(MINUTES_A_DAY, int(hours) * 60 + int(minutes))


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
