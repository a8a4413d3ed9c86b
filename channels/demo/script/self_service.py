"""The menus, forms and buttons of two channels of the scene."""

from typing import Final

from channels.demo.script.models import ButtonScript
from channels.self_service.forms.models import FieldKind, FormContent, FormField
from channels.self_service.menus.models import MenuEntry
from groups.models import Action, ActionKind, Button


def _reply(text: str) -> Action:
    return Action(kind=ActionKind.REPLY, value=text)


def _event(data: str) -> Action:
    return Action(kind=ActionKind.EVENT, value=data)


def _form(name: str) -> Action:
    return Action(kind=ActionKind.FORM, value=name)


def _link(url: str) -> Action:
    return Action(kind=ActionKind.LINK, value=url)


def _button(text: str, action: Action, presses: int = 0) -> ButtonScript:
    return ButtonScript(Button(text=text, action=action), presses)


CLUB_FORMS: Final = {
    "season-ticket": FormContent(
        title="Season ticket",
        text="For the second half of the season. You pay at the gate.",
        fields=(
            FormField(
                name="stand",
                label="Which stand?",
                kind=FieldKind.CHOICE,
                options=("South", "North", "Family block"),
            ),
            FormField(name="seats", label="How many seats?", kind=FieldKind.NUMBER),
            FormField(name="phone", label="Phone number", kind=FieldKind.PHONE, required=False),
            FormField(
                name="note",
                label="Anything we should know?",
                kind=FieldKind.LONG_TEXT,
                required=False,
            ),
        ),
        confirmation="Thank you! We keep your seats until Friday and write to you here.",
    )
}
CLUB_MENU: Final = (
    MenuEntry(text="Next match", action=_reply("When is the next match?")),
    MenuEntry(
        text="Tickets",
        entries=(
            MenuEntry(text="Order a season ticket", action=_form("season-ticket")),
            MenuEntry(text="Is my seat still free?", action=_reply("Is my seat still free?")),
            MenuEntry(text="Prices", action=_link("https://fcharbour.example/tickets")),
        ),
    ),
    MenuEntry(text="Call me", action=_event("call")),
)
TICKET_BUTTONS: Final = (
    (
        _button("I am in", _event("in"), presses=9),
        _button("Not this time", _event("out"), presses=4),
    ),
    (_button("Order a season ticket", _form("season-ticket")),),
)

BAKERY_FORMS: Final = {
    "cake": FormContent(
        title="Order a cake",
        text="Two days ahead, please.",
        fields=(
            FormField(
                name="cake",
                label="Which cake?",
                kind=FieldKind.CHOICE,
                options=("Apple", "Plum", "Carrot", "Poppy seed"),
            ),
            FormField(name="day", label="For which day?", kind=FieldKind.DATE),
            FormField(name="name", label="Whose name goes on it?", required=False),
            FormField(
                name="allergies",
                label="Allergies",
                kind=FieldKind.LONG_TEXT,
                required=False,
            ),
        ),
        confirmation="Thank you! We bake it and write to you here.",
    )
}
BAKERY_MENU: Final = (
    MenuEntry(text="Order a cake", action=_form("cake")),
    MenuEntry(text="Opening hours", action=_reply("When are you open?")),
)
CAKE_BUTTONS: Final = ((_button("Order a cake", _form("cake")),),)
