"""The models of forms."""

from datetime import datetime
from enum import StrEnum

from groups.kernel.ids import GroupId, UserId
from groups.models import Model


class FieldKind(StrEnum):
    """The kind of value that a field takes."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    CHOICE = "choice"
    DATE = "date"
    PHONE = "phone"
    EMAIL = "email"


class FormField(Model):
    """One question. `options` are those of a choice; `max_length` bounds the characters of a text."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    options: tuple[str, ...] = ()
    max_length: int | None = None


class FormContent(Model):
    """All that is shown of a form. `confirmation` is for the user who has sent it."""

    title: str
    text: str = ""
    fields: tuple[FormField, ...]
    confirmation: str = ""


class Form(Model):
    """A form of a channel. `changed_by` wrote it, or changed it last."""

    channel_id: GroupId
    name: str
    content: FormContent
    changed_at: datetime
    changed_by: UserId
