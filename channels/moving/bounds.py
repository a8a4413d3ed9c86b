"""The bounds of rows of other packages' tables: an import refuses what their calls would refuse.

Pure. A check returns what is wrong, in one sentence; None: nothing. The models themselves have no bounds, since they
also read what is stored.
"""

from datetime import date
from typing import Final

from pydantic_core import Url

from channels.limits import Limits
from channels.self_service.automatic_messages.matching import words_in
from channels.self_service.automatic_messages.models import AutomaticMessage, OpeningHours, Rule
from channels.self_service.automatic_messages.opening_hours import MINUTES_A_DAY, zone_of
from channels.self_service.forms.models import FieldKind, Form, FormField
from channels.self_service.menus.models import Menu, MenuEntry
from groups.models import Action, ActionKind, Content, Kind
from groups.service.messages.posting import check_bounds

ENTRIES: Final = 3
ENTRIES_BELOW: Final = 5
KEYWORDS: Final = 10
KEYWORD_CHARACTERS: Final = 100
TIMES_A_WEEK: Final = 28
CLOSED_DATES: Final = 100
_NAME_CHARACTERS: Final = 64
_URL_CHARACTERS: Final = 2_048
_WITH_LENGTH: Final = {FieldKind.TEXT, FieldKind.LONG_TEXT}


def is_web_address(text: str) -> bool:
    """Whether the text is an http or https address."""
    try:
        url = Url(text)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)


def problem_in_buttons(content: Content, limits: Limits) -> str | None:
    """Return what is wrong with the buttons of a message of a channel."""
    if content.buttons and content.kind is Kind.POLL:
        return "A poll has no buttons."
    if not all(content.buttons):
        return "A row has no button."
    keys = {button.key for button in content.all_buttons}
    if len(keys) < len(content.all_buttons):
        return "Two buttons are equal."
    for button in content.all_buttons:
        problem = _problem_in_label(button.text, limits) or _problem_in_action(
            button.action, limits
        )
        if problem is not None:
            return problem
    return None


def _problem_in_label(text: str, limits: Limits) -> str | None:
    if not text.strip() or "\n" in text:
        return "The text of a button or entry must be one line that shows something."
    if len(text.encode()) > limits.button_text_bytes:
        return "The text of a button or entry is too long (LIMIT_BUTTON_TEXT_BYTES)."
    return None


def _problem_in_action(action: Action, limits: Limits) -> str | None:
    value = action.value
    match action.kind:
        case ActionKind.LINK if not is_web_address(value) or len(value) > _URL_CHARACTERS:
            return "A link must be an http or https address."
        case ActionKind.FORM if not _is_name(value):
            return "A form's name has small letters, digits, - and _."
        case ActionKind.REPLY if not value.strip():
            return "A reply must show something."
    if (
        action.kind in {ActionKind.REPLY, ActionKind.EVENT}
        and len(value.encode()) > limits.button_data_bytes
    ):
        return "The reply or data is too long (LIMIT_BUTTON_DATA_BYTES)."
    return None


def _is_name(text: str) -> bool:
    letters = set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    return 0 < len(text) <= _NAME_CHARACTERS and set(text) <= letters and text[0] not in "_-"


# --- menus ------------------------------------------------------------------------------------------------------------


def problem_in_menu(menu: Menu, limits: Limits) -> str | None:
    """Return what is wrong with a menu."""
    if menu.version < 1:
        return "A menu has a version from 1."
    if not 1 <= len(menu.entries) <= ENTRIES:
        return f"A menu has 1 to {ENTRIES} entries."
    for entry in menu.entries:
        if (entry.action is None) is not bool(entry.entries):
            return "An entry has either an action or entries."
        if len(entry.entries) > ENTRIES_BELOW:
            return f"An entry has at most {ENTRIES_BELOW} entries."
        if any(below.action is None or below.entries for below in entry.entries):
            return "An entry below another one has an action, and no entries."
        for one in (entry, *entry.entries):
            problem = _problem_in_entry(one, limits)
            if problem is not None:
                return problem
    return None


def _problem_in_entry(entry: MenuEntry, limits: Limits) -> str | None:
    problem = _problem_in_label(entry.text, limits)
    if problem is None and entry.action is not None:
        problem = _problem_in_action(entry.action, limits)
    return problem


# --- forms ------------------------------------------------------------------------------------------------------------


def problem_in_form(form: Form, limits: Limits) -> str | None:
    """Return what is wrong with a form."""
    content = form.content
    if not _is_name(form.name):
        return "A form's name has small letters, digits, - and _."
    if not _is_label(content.title, limits):
        return "The title must show something, and is bounded (LIMIT_FORM_LABEL_BYTES)."
    if any(
        len(text.encode()) > limits.form_text_bytes for text in (content.text, content.confirmation)
    ):
        return "A text is too long (LIMIT_FORM_TEXT_BYTES)."
    if not 1 <= len(content.fields) <= limits.form_fields:
        return f"A form has 1 to {limits.form_fields} fields (LIMIT_FORM_FIELDS)."
    if len({one.name for one in content.fields}) < len(content.fields):
        return "Two fields have the same name."
    for one in content.fields:
        problem = _problem_in_field(one, limits)
        if problem is not None:
            return problem
    return None


def _is_label(text: str, limits: Limits) -> bool:
    is_line = bool(text.strip()) and "\n" not in text
    return is_line and len(text.encode()) <= limits.form_label_bytes


def _problem_in_field(one: FormField, limits: Limits) -> str | None:
    if not _is_name(one.name) or not _is_label(one.label, limits):
        return "A field needs a name and a label."
    if (one.kind is FieldKind.CHOICE) is not bool(one.options):
        return "A choice has options, and nothing else has."
    if len(one.options) > limits.form_options or len(set(one.options)) < len(one.options):
        return "The options are too many (LIMIT_FORM_OPTIONS), or two are equal."
    if not all(_is_label(option, limits) for option in one.options):
        return "An option must show something, and is bounded (LIMIT_FORM_LABEL_BYTES)."
    if one.max_length is not None and (
        one.kind not in _WITH_LENGTH or not 1 <= one.max_length <= 2_000
    ):
        return "max_length goes with texts, and is 1 to 2,000."
    return None


# --- automatic messages -----------------------------------------------------------------------------------------------


def problem_in_automatic_message(message: AutomaticMessage, limits: Limits) -> str | None:
    """Return what is wrong with a greeting, an automatic answer or opening hours. Raises: what refuses its content."""
    content = message.content
    if content.kind is not Kind.TEXT or not content.text.strip() or content.media or content.links:
        return "An automatic message is a text that shows something."
    check_bounds(content, limits)
    is_answer = message.rule is Rule.ANSWER
    if is_answer is not bool(message.name) or is_answer is not bool(message.keywords):
        return "An answer has a name and keywords, and nothing else has."
    if (message.rule is Rule.AWAY) is not (message.hours is not None):
        return "Only the answer for closed hours has hours."
    if len(message.keywords) > KEYWORDS or not all(
        len(keyword) <= KEYWORD_CHARACTERS and words_in(keyword) for keyword in message.keywords
    ):
        return f"There are at most {KEYWORDS} keywords, each with a word."
    problem = problem_in_buttons(content, limits)
    if problem is None and message.hours is not None:
        problem = _problem_in_hours(message.hours)
    return problem


def _problem_in_hours(hours: OpeningHours) -> str | None:
    if zone_of(hours.time_zone) is None:
        return "There is no such time zone."
    if len(hours.times) > TIMES_A_WEEK or len(hours.closed_dates) > CLOSED_DATES:
        return "The hours are too many."
    before = (-1, 0)
    for one in hours.times:
        is_right = 0 <= one.day <= 6 and 0 <= one.start < one.end <= MINUTES_A_DAY
        if not is_right or (one.day, one.start) <= before:
            return "The hours must be in order, and may not touch."
        before = (one.day, one.end)
    for text in hours.closed_dates:
        try:
            date.fromisoformat(text)
        except ValueError:
            return f"There is no date {text[:10]!r}."
    return None
