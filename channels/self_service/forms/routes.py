"""Endpoints of forms: written and read, and answered."""

from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.buttons.routes import REPLY_ERRORS
from channels.errors import ChannelNotFound
from channels.routes.dialogue_responses import DialogueMessageResponse, dialogue_message_response
from channels.routes.responses import ChannelIdText
from channels.self_service.forms.errors import BadFormAnswer, FormLimitReached, FormNotFound
from channels.self_service.forms.models import FieldKind, Form, FormContent, FormField
from channels.self_service.forms.policy import LONG_TEXT_CHARACTERS
from channels.self_service.forms.service import FormService
from groups.errors import Banned, BusinessAccount, ChannelSuspended, UserRestricted
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, IdempotencyKey, Response, delete, get, post, put
from groups.kernel.errors import BadCursor, FieldTooLong, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import GroupId
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.bounded import MaxBytes, NotBlank, Text
from groups.models import Tally
from groups.routes.responses.buttons import FormName
from groups.routes.responses.fields import Instant

LABEL_BYTES: Final = 150
TEXT_BYTES: Final = 1_000
_TEXT_KINDS: Final = {FieldKind.TEXT, FieldKind.LONG_TEXT}

FormLabel = Annotated[NotBlank, MaxBytes("form_label_bytes", LABEL_BYTES)]
FormText = Annotated[Text, MaxBytes("form_text_bytes", TEXT_BYTES)]


class FormFieldBody(Body):
    """One question of a form."""

    name: Annotated[FormName, Field(description="Names the value in answers.", examples=["size"])]
    label: Annotated[FormLabel, Field(examples=["Which size?"])]
    kind: Annotated[
        FieldKind,
        Field(
            description="`text`: one line; `long_text`: several. `date`: as `2030-12-31`. `choice`: one of `options`."
        ),
    ] = FieldKind.TEXT
    required: bool = True
    options: Annotated[
        tuple[FormLabel, ...],
        Field(max_length=1_000, description="For `choice`: 1 to 20 different ones."),
    ] = ()
    max_length: Annotated[
        int | None,
        Field(
            ge=1,
            le=LONG_TEXT_CHARACTERS,
            description="For `text` and `long_text`: characters; else 200 and 2,000.",
        ),
    ] = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        is_choice = self.kind is FieldKind.CHOICE
        if is_choice and not self.options:
            raise PydanticCustomError("empty_options", "options must not be empty for a choice")
        if self.options and not is_choice:
            raise PydanticCustomError("wrong_kind", "options go with a choice only")
        if len(set(self.options)) < len(self.options):
            raise PydanticCustomError("twice", "options must differ from each other")
        if self.max_length is not None and self.kind not in _TEXT_KINDS:
            raise PydanticCustomError("wrong_kind", "max_length goes with text and long_text only")
        return self


class PutForm(Body):
    """A form: its title, a text above the fields, the fields, and what the user sees once they have sent it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Order tea",
                    "text": "We deliver on weekdays.",
                    "fields": [
                        {"name": "name", "label": "Your name"},
                        {
                            "name": "size",
                            "label": "Which size?",
                            "kind": "choice",
                            "options": ["Small", "Large"],
                        },
                    ],
                    "confirmation": "Thank you. We call you within the hour.",
                }
            ]
        }
    )

    title: FormLabel
    text: FormText = ""
    fields: Annotated[tuple[FormFieldBody, ...], Field(min_length=1, max_length=1_000)]
    confirmation: FormText = ""

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len({field.name for field in self.fields}) < len(self.fields):
            raise PydanticCustomError("twice", "fields must have different names")
        return self

    def to_content(self) -> FormContent:
        """The form as it is stored."""
        return FormContent(
            title=self.title,
            text=self.text,
            fields=tuple(FormField(**field.model_dump()) for field in self.fields),
            confirmation=self.confirmation,
        )


class FormFieldResponse(Response):
    """One question of a form."""

    name: str
    label: str
    kind: FieldKind
    required: bool
    options: tuple[str, ...]
    max_length: int | None


class FormResponse(Response):
    """A form of a channel."""

    channel_id: GroupId
    name: str
    title: str
    text: str
    fields: list[FormFieldResponse]
    confirmation: str
    changed_at: Instant


class AnswerForm(Body):
    """The values, by the names of the fields; a field that is left out, null or blank has no answer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"answers": {"name": "Bob", "size": "Large"}}]}
    )

    answers: Annotated[
        dict[
            FormName,
            Annotated[Text, Field(max_length=20_000)] | int | float | bool | None,
        ],
        Field(max_length=1_000),
    ]


class FormAnsweredResponse(Response):
    """Your message to the channel, and what the form says once it is sent."""

    message: DialogueMessageResponse
    confirmation: str


def _response(form: Form) -> FormResponse:
    content = form.content
    return FormResponse.model_construct(
        channel_id=form.channel_id,
        name=form.name,
        title=content.title,
        text=content.text,
        fields=[FormFieldResponse.model_construct(**dict(field)) for field in content.fields],
        confirmation=content.confirmation,
        changed_at=form.changed_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRoutes:
    """Forms of channels."""

    tag = "Forms"

    forms: FormService

    @get("/v1/channels/{channel_id}/forms", errors=[ChannelNotFound, BadCursor])
    async def list_forms(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[FormResponse]:
        """List the channel's forms, by name."""
        found, next_cursor = await self.forms.list_forms(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[_response(form) for form in found], next_cursor=next_cursor)

    @get("/v1/channels/{channel_id}/forms/{name}", errors=[ChannelNotFound, FormNotFound])
    async def get_form(
        self, actor: Actor, channel_id: ChannelIdText, name: FormName
    ) -> FormResponse:
        """Get a form, to show it."""
        return _response(await self.forms.get(actor, channel_id, name))

    @put(
        "/v1/channels/{channel_id}/forms/{name}",
        errors=[ChannelNotFound, PermissionRefused, FieldTooLong, FormLimitReached],
    )
    async def put_form(
        self, actor: Actor, channel_id: ChannelIdText, name: FormName, body: PutForm
    ) -> FormResponse:
        """Store a form under a name, in place of the one before (owner, admin). A button opens it by this name."""
        return _response(await self.forms.put(actor, channel_id, name, body.to_content()))

    @delete(
        "/v1/channels/{channel_id}/forms/{name}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, FormNotFound],
    )
    async def delete_form(self, actor: Actor, channel_id: ChannelIdText, name: FormName) -> None:
        """Delete a form (owner, admin). Its answers stay in the inbox."""
        await self.forms.delete(actor, channel_id, name)

    @post(
        "/v1/channels/{channel_id}/forms/{name}/answers",
        status=201,
        errors=[
            ChannelNotFound,
            FormNotFound,
            BadFormAnswer,
            FieldTooLong,
            IdempotencyConflict,
            UserRestricted,
            ChannelSuspended,
            BusinessAccount,
            Banned,
            *REPLY_ERRORS,
        ],
    )
    async def answer(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        name: FormName,
        body: AnswerForm,
        key: IdempotencyKey,
    ) -> FormAnsweredResponse:
        """Fill in a form: the answer is your message to the channel. With an `Idempotency-Key`, repeats send it once.

        All who may write to the channel may answer. Its back end receives `form.answered`.
        """
        sent, form = await self.forms.answer(actor, channel_id, name, body.answers, key=key)
        return FormAnsweredResponse.model_construct(
            message=dialogue_message_response(sent, Tally()), confirmation=form.content.confirmation
        )
