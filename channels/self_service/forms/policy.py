"""Checks the answer to a form: pure, and the same for every caller."""

import re
from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Final, assert_never

from pydantic_core import PydanticCustomError

from channels.self_service.forms.errors import BadFormAnswer
from channels.self_service.forms.models import FieldKind, Form, FormField
from groups.kernel.text.bounded import byte_length, without_controls
from groups.models import FormAnswer, FormAnswerValue

TEXT_CHARACTERS: Final = 200
"""The characters of a text whose field says nothing else."""
LONG_TEXT_CHARACTERS: Final = 2_000
"""The same of a long text, and the most that a field may allow."""
_EMAIL_CHARACTERS: Final = 254  # RFC 5321
_NUMBER_CHARACTERS: Final = 40
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PHONE: Final = re.compile(r"\+?[0-9 ()./-]{3,40}", re.ASCII)
_EMAIL: Final = re.compile(
    r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\".]+(\.[^\s@<>()\[\],;:\\\".]+)+"
)
_PHONE_DIGITS: Final = (3, 20)

AnswerValue = str | int | float | bool | None
"""A value as a caller sends it. An empty text, and null, are no answer."""


def checked_answer(form: Form, given: Mapping[str, AnswerValue]) -> FormAnswer:
    """Return the answer as it is sent, in the order of the form's fields, without those left empty.

    Raises: BadFormAnswer, for the first value that does not fit.
    """
    fields = {field.name: field for field in form.content.fields}
    for name in given:
        if name not in fields:
            raise BadFormAnswer(name, "unknown_field")
    answers: list[FormAnswerValue] = []
    for field in fields.values():
        value = _text_of(field, given.get(field.name))
        if not value:
            if field.required:
                raise BadFormAnswer(field.name, "missing")
            continue
        reason = _reason_against(field, value)
        if reason is not None:
            raise BadFormAnswer(field.name, reason)
        answers.append(FormAnswerValue(name=field.name, label=field.label, value=value))
    return FormAnswer(form=form.name, title=form.content.title, answers=tuple(answers))


def _text_of(field: FormField, value: AnswerValue) -> str:
    """The value as text, without blanks around it. A number may be sent as one."""
    if value is None:
        return ""
    if isinstance(value, str):
        try:
            byte_length(value)
            return without_controls(value).strip()
        except PydanticCustomError:
            raise BadFormAnswer(field.name, "control_character") from None
    # `bool` is a kind of `int` in Python, and no number here.
    if isinstance(value, bool) or field.kind is not FieldKind.NUMBER:
        raise BadFormAnswer(field.name, "bad_type")
    if not isfinite(value):
        raise BadFormAnswer(field.name, "not_a_number")
    return str(value)


def _reason_against(field: FormField, value: str) -> str | None:
    """Why the value does not fit its field; None: it does."""
    match field.kind:
        case FieldKind.TEXT | FieldKind.LONG_TEXT:
            is_long = field.kind is FieldKind.LONG_TEXT
            if not is_long and "\n" in value:
                return "control_character"
            usual = LONG_TEXT_CHARACTERS if is_long else TEXT_CHARACTERS
            limit = usual if field.max_length is None else field.max_length
            return "too_long" if len(value) > limit else None
        case FieldKind.NUMBER:
            fits = len(value) <= _NUMBER_CHARACTERS and _is_number(value)
            return None if fits else "not_a_number"
        case FieldKind.CHOICE:
            return None if value in field.options else "not_an_option"
        case FieldKind.DATE:
            return None if _is_date(value) else "bad_date"
        case FieldKind.PHONE:
            digits = sum(character.isdigit() for character in value)
            fits = bool(_PHONE.fullmatch(value)) and _PHONE_DIGITS[0] <= digits <= _PHONE_DIGITS[1]
            return None if fits else "bad_phone"
        case FieldKind.EMAIL:
            fits = len(value) <= _EMAIL_CHARACTERS and bool(_EMAIL.fullmatch(value))
            return None if fits else "bad_email"
        case _ as unreachable:
            assert_never(unreachable)


def _is_number(value: str) -> bool:
    # Also as Python writes a very large or small float, which a caller may send as a JSON number.
    return bool(_NUMBER.fullmatch(value) or re.fullmatch(r"-?\d(\.\d+)?e[+-]\d{1,3}", value))


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
