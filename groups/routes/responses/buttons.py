"""Buttons and their actions in bodies and responses; menus of channels have the same actions.

Readers of one message differ in the buttons that they pressed. `ButtonsJson` renders all else once for all of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Self

import orjson
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from groups.kernel.endpoint import Body, Response
from groups.kernel.text.bounded import MaxBytes, NotBlank, NotBlankText, Text
from groups.limits import BUTTON_DATA_BYTES, BUTTON_TEXT_BYTES
from groups.models import Action, ActionKind, Button, ButtonRows, Tally
from groups.routes.responses.fields import WebAddress

FORM_NAME_CHARACTERS: Final = 64
"""The longest name of a form."""
_BUTTON_URL_CHARACTERS: Final = 2_048

FIELD_OF_ACTION: Final = {
    ActionKind.LINK: "url",
    ActionKind.REPLY: "reply",
    ActionKind.EVENT: "data",
    ActionKind.FORM: "form",
}
"""The field that an action of this kind needs."""


ButtonText = Annotated[NotBlank, MaxBytes("button_text_bytes", BUTTON_TEXT_BYTES)]
"""The text of a button, or of an entry of a menu."""
FormName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=FORM_NAME_CHARACTERS, examples=["order"]),
]
"""The name of a form: small letters, digits, `-` and `_`."""

_Url = Annotated[WebAddress, Field(min_length=1, max_length=_BUTTON_URL_CHARACTERS)]
_Data = Annotated[Text, MaxBytes("button_data_bytes", BUTTON_DATA_BYTES)]
_Reply = Annotated[NotBlankText, MaxBytes("button_data_bytes", BUTTON_DATA_BYTES)]


class ActionFields(Body):
    """The fields of which a kind of action needs one."""

    url: Annotated[_Url | None, Field(examples=["https://example.org/tea"])] = None
    reply: _Reply | None = None
    data: Annotated[_Data | None, Field(examples=["tea:2"])] = None
    form: FormName | None = None

    def check_fit(self, kind: ActionKind | None) -> None:
        """Refuse a field that does not go with the kind, and a missing one; None: no field goes with it."""
        needed = FIELD_OF_ACTION[kind] if kind is not None else ""
        for name in FIELD_OF_ACTION.values():
            is_given = getattr(self, name) is not None
            if is_given == (name == needed):
                continue
            words = "{field} does not go with kind {kind}" if is_given else "{field} is needed"
            raise PydanticCustomError(
                "wrong_action", words, {"field": name, "kind": kind or "null"}
            )

    def action_of(self, kind: ActionKind) -> Action:
        """The action of this kind as it is stored."""
        return Action(kind=kind, value=getattr(self, FIELD_OF_ACTION[kind]))


class ActionBody(ActionFields):
    """Says what happens at a press, by `kind`, with the one field that goes with it."""

    kind: Annotated[
        ActionKind,
        Field(
            description="`link`: the app opens `url`. `reply`: the user sends the text `reply` to the channel. "
            "`event`: the back end receives `data`. `form`: the app opens the channel's form of this name."
        ),
    ]

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        self.check_fit(self.kind)
        return self

    def to_action(self) -> Action:
        """The action as it is stored."""
        return self.action_of(self.kind)


class ButtonBody(ActionBody):
    """A button: its text, and what happens when a user presses it."""

    text: ButtonText

    def to_button(self) -> Button:
        """The button as it is stored."""
        return Button(text=self.text, action=self.to_action())


def _distinct(rows: tuple[tuple[ButtonBody, ...], ...]) -> tuple[tuple[ButtonBody, ...], ...]:
    keys = [button.to_button().key for row in rows for button in row]
    if len(set(keys)) < len(keys):
        raise PydanticCustomError("same_button", "must differ from each other")
    return rows


ButtonRowsBody = Annotated[
    tuple[Annotated[tuple[ButtonBody, ...], Field(min_length=1, max_length=100)], ...],
    Field(
        max_length=100,
        description="Rows of buttons, from top to bottom: at most 5 rows of 3. No two buttons are equal.",
        examples=[[[{"text": "Order tea", "kind": "event", "data": "tea"}]]],
    ),
    AfterValidator(_distinct),
]
"""Buttons under a message, as a body has them."""


def to_rows(rows: Sequence[Sequence[ButtonBody]]) -> ButtonRows:
    """The buttons as they are stored."""
    return tuple(tuple(button.to_button() for button in row) for row in rows)


class ActionResponse(Response):
    """Says what happens at a press; of the four fields after `kind` the one that goes with it has a value."""

    kind: ActionKind
    url: str | None
    reply: str | None
    data: str | None
    form: str | None


def action_fields(action: Action) -> dict[str, Any]:
    """The fields of `ActionResponse`."""
    fields: dict[str, Any] = {"kind": action.kind, **dict.fromkeys(FIELD_OF_ACTION.values())}
    fields[FIELD_OF_ACTION[action.kind]] = action.value
    return fields


class ButtonResponse(ActionResponse):
    """A button as you see it. In events and drafts there are no counts, and no presses of yours."""

    text: str
    presses: Annotated[
        int | None,
        Field(description="How many users pressed it; null for `link` and `form`, and in events."),
    ]
    pressed: Annotated[bool, Field(description="You pressed it.")]


def button_responses(rows: ButtonRows, tally: Tally | None) -> list[list[ButtonResponse]]:
    """The buttons for a reader whose presses are in the tally; without one, for those who may be anybody."""
    counts: Mapping[int, int] = tally.votes if tally is not None else {}
    mine: Collection[int] = tally.my_votes if tally is not None else ()
    return [
        [
            ButtonResponse.model_construct(
                **action_fields(button.action),
                text=button.text,
                presses=counts.get(button.key, 0)
                if tally is not None and button.action.is_counted
                else None,
                pressed=button.key in mine,
            )
            for button in row
        ]
        for row in rows
    ]


@dataclass(slots=True)
class ButtonsJson:
    """The JSON of a message's buttons for all its readers, cut where each reader's own presses stand."""

    rows: ButtonRows
    tally: Tally
    _parts: list[tuple[bytes, int]] = field(default_factory=list)
    """The JSON up to each `pressed`, and the key of the button."""

    def seen_by(self, mine: Collection[int]) -> bytes:
        """The rows for a reader who pressed the buttons with these keys."""
        if not self._parts:
            self._parts = self._cut()
        pieces = [
            b"%b%b" % (before, b"true" if key in mine else b"false") for before, key in self._parts
        ]
        return b"".join((*pieces, b"}]]"))

    def _cut(self) -> list[tuple[bytes, int]]:
        parts: list[tuple[bytes, int]] = []
        between = b"[["
        for row in self.rows:
            for button in row:
                is_counted = button.action.is_counted
                shown = {
                    **action_fields(button.action),
                    "text": button.text,
                    "presses": self.tally.votes.get(button.key, 0) if is_counted else None,
                }
                json = orjson.dumps(shown).removesuffix(b"}")
                parts.append((between + json + b',"pressed":', button.key))
                between = b"},"
            between = b"}],["
        return parts

    @property
    def memory_bytes(self) -> int:
        """The estimated memory, with the JSON that one page has of it."""
        texts = sum(
            len(button.text) + len(button.action.value) for row in self.rows for button in row
        )
        return 1_000 + 12 * texts + 600 * sum(map(len, self.rows))


def rendered_buttons(rows: ButtonRows, tally: Tally) -> bytes:
    """The JSON of the buttons for the reader whose presses are in the tally."""
    return ButtonsJson(rows, tally).seen_by(tally.my_votes)
