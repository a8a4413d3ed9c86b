"""Endpoints of menus."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.buttons.routes import REPLY_ERRORS
from channels.errors import ChannelNotFound
from channels.routes.dialogue_responses import DialogueMessageResponse, dialogue_message_response
from channels.routes.responses import ChannelIdText
from channels.self_service.menus.errors import MenuChanged, MenuEntryNotFound, NothingToSelect
from channels.self_service.menus.models import Menu, MenuEntry
from channels.self_service.menus.service import MenuService
from groups.errors import Banned, BusinessAccount, ChannelSuspended, UserRestricted
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, IdempotencyKey, Response, delete, get, post, put
from groups.kernel.errors import FieldTooLong, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import GroupId
from groups.models import Action, ActionKind, Tally
from groups.routes.responses.buttons import (
    FIELD_OF_ACTION,
    ActionBody,
    ActionFields,
    ButtonText,
    action_fields,
)

ENTRIES: Final = 3
ENTRIES_BELOW: Final = 5
_MENU: Final = "/v1/channels/{channel_id}/menu"


class SubEntryBody(ActionBody):
    """An entry below another one: its text, and what happens when a user chooses it."""

    text: ButtonText

    def to_entry(self) -> MenuEntry:
        return MenuEntry(text=self.text, action=self.to_action())


class EntryBody(ActionFields):
    """An entry: its text, and an action, as that of a button, or the `entries` below it."""

    text: ButtonText
    kind: Annotated[
        ActionKind | None,
        Field(description="As that of a button; left out where the entry has `entries`."),
    ] = None
    entries: Annotated[
        tuple[SubEntryBody, ...] | None, Field(min_length=1, max_length=ENTRIES_BELOW)
    ] = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if (self.kind is None) == (self.entries is None):
            raise PydanticCustomError("wrong_action", "either kind or entries is needed")
        self.check_fit(self.kind)
        return self

    def to_entry(self) -> MenuEntry:
        if self.kind is not None:
            return MenuEntry(text=self.text, action=self.action_of(self.kind))
        below = tuple(entry.to_entry() for entry in self.entries or ())
        return MenuEntry(text=self.text, entries=below)


class PutMenu(Body):
    """The whole menu."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entries": [
                        {"text": "Order", "kind": "form", "form": "order"},
                        {
                            "text": "Ask",
                            "entries": [
                                {"text": "Opening hours", "kind": "reply", "reply": "hours"},
                                {"text": "Call me", "kind": "event", "data": "call"},
                            ],
                        },
                    ]
                }
            ]
        }
    )

    entries: Annotated[tuple[EntryBody, ...], Field(min_length=1, max_length=ENTRIES)]


class SelectEntry(Body):
    """The entry that the user chose."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"entry": "2.1"}]})

    entry: Annotated[
        str,
        Field(
            pattern=r"^[1-9](\.[1-9])?$",
            max_length=3,
            description="Its place, from 1; `2.1` is the first one below the second.",
        ),
    ]
    version: Annotated[
        int | None,
        Field(
            ge=0, description="The version of the menu that the user saw: another one is refused."
        ),
    ] = None


class SubEntryResponse(Response):
    """An entry below another one."""

    text: str
    kind: ActionKind
    url: str | None
    reply: str | None
    data: str | None
    form: str | None


class EntryResponse(Response):
    """An entry of a menu; `kind` is null for one with `entries`."""

    text: str
    kind: ActionKind | None
    url: str | None
    reply: str | None
    data: str | None
    form: str | None
    entries: list[SubEntryResponse] | None


class MenuResponse(Response):
    """The menu of a channel; without one, `version` is 0, and there are no entries."""

    channel_id: GroupId
    version: Annotated[int, Field(description="Grows with each change; the channel has it too.")]
    entries: list[EntryResponse]


class SelectionResponse(Response):
    """The entry that was selected."""

    entry: str
    kind: ActionKind
    message: Annotated[
        DialogueMessageResponse | None,
        Field(description="For a `reply`: your message in the conversation with the channel."),
    ]


def _fields(action: Action | None) -> dict[str, Any]:
    if action is not None:
        return action_fields(action)
    return {"kind": None, **dict.fromkeys(FIELD_OF_ACTION.values())}


def _entry_response(entry: MenuEntry) -> EntryResponse:
    below = [
        SubEntryResponse.model_construct(text=each.text, **_fields(each.action))
        for each in entry.entries
    ]
    return EntryResponse.model_construct(
        text=entry.text, **_fields(entry.action), entries=below or None
    )


def menu_response(channel_id: GroupId, menu: Menu | None) -> MenuResponse:
    """Build the response of a menu, or of none."""
    return MenuResponse.model_construct(
        channel_id=channel_id,
        version=menu.version if menu is not None else 0,
        entries=[_entry_response(entry) for entry in menu.entries] if menu is not None else [],
    )


@dataclass(kw_only=True, slots=True)
class MenuRoutes:
    """Menus (written by the owner, and admins with the right to change the settings)."""

    tag = "Self-service"

    menus: MenuService

    @get(_MENU, errors=[ChannelNotFound])
    async def get_menu(self, actor: Actor, channel_id: ChannelIdText) -> MenuResponse:
        """The channel's menu; without one, `entries` is empty. Its version is in the channel's `menu_version`."""
        return menu_response(channel_id, await self.menus.get(actor, channel_id))

    @put(_MENU, errors=[ChannelNotFound, PermissionRefused, FieldTooLong])
    async def put_menu(
        self, actor: Actor, channel_id: ChannelIdText, body: PutMenu
    ) -> MenuResponse:
        """Give the channel this menu, in place of the one before: up to 3 entries, with up to 5 below each."""
        entries = tuple(entry.to_entry() for entry in body.entries)
        return menu_response(channel_id, await self.menus.put(actor, channel_id, entries))

    @delete(_MENU, status=204, errors=[ChannelNotFound, PermissionRefused])
    async def delete_menu(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Take the menu away. Without one, nothing changes."""
        await self.menus.delete(actor, channel_id)

    @post(
        f"{_MENU}/selections",
        status=201,
        errors=[
            ChannelNotFound,
            MenuEntryNotFound,
            MenuChanged,
            NothingToSelect,
            UserRestricted,
            ChannelSuspended,
            BusinessAccount,
            Banned,
            FieldTooLong,
            IdempotencyConflict,
            *REPLY_ERRORS,
        ],
    )
    async def select(
        self, actor: Actor, channel_id: ChannelIdText, body: SelectEntry, key: IdempotencyKey
    ) -> SelectionResponse:
        """Choose an entry of the menu, if you may write to the channel. With an `Idempotency-Key`, repeats choose once.

        A `reply` sends its text as your one-to-one message to the channel. An `event` sends its data to the channel's
        back end, as `menu.selected`.
        """
        selected = await self.menus.select(
            actor, channel_id, body.entry, version=body.version, key=key
        )
        message = selected.message
        return SelectionResponse.model_construct(
            entry=selected.entry,
            kind=selected.action.kind,
            message=dialogue_message_response(message, Tally()) if message is not None else None,
        )
