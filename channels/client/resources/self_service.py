"""All that a channel does for people by itself: its menu, its forms, its greeting and its automatic answers."""

from collections.abc import Mapping

from typing_extensions import Unpack

from channels.client.models import (
    AutoReply,
    Form,
    FormAnsweredResponse,
    Greeting,
    Menu,
    OpeningHours,
    Page,
    PutAutoReply,
    PutForm,
    PutGreeting,
    PutMenu,
    PutOpeningHours,
    Selection,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource


class SelfService(Resource):
    """`client.self_service`. All but reading a menu and forms, and using them, is for those who change the settings."""

    async def menu(self, channel_id: str) -> Menu:
        """The menu; without entries where the channel has none."""
        return await self._get(Menu, "channels", channel_id, "menu")

    async def set_menu(self, channel_id: str, **menu: Unpack[PutMenu]) -> Menu:
        """Store the menu: `set_menu("shop", entries=[{"text": "Hours", "kind": "reply", "reply": "hours"}])`."""
        return await self._call("PUT", Menu, "channels", channel_id, "menu", body=menu)

    async def delete_menu(self, channel_id: str) -> None:
        await self._do("DELETE", "channels", channel_id, "menu")

    async def select(
        self,
        channel_id: str,
        entry: str,
        *,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Selection:
        """Choose an entry, such as `2.1`, of the menu that you show in this `version`."""
        return await self._call(
            *("POST", Selection, "channels", channel_id, "menu", "selections"),
            body={"entry": entry} if version is None else {"entry": entry, "version": version},
            idempotency_key=idempotency_key,
        )

    def forms(self, channel_id: str) -> Paged[Form, Page[Form]]:
        """The forms of the channel, by name."""
        return self._list(Page[Form], "channels", channel_id, "forms")

    async def form(self, channel_id: str, name: str) -> Form:
        return await self._get(Form, "channels", channel_id, "forms", name)

    async def put_form(self, channel_id: str, name: str, **form: Unpack[PutForm]) -> Form:
        """Store a form under this name, in place of the one before."""
        return await self._call("PUT", Form, "channels", channel_id, "forms", name, body=form)

    async def delete_form(self, channel_id: str, name: str) -> None:
        """Delete a form; its answers stay."""
        await self._do("DELETE", "channels", channel_id, "forms", name)

    async def answer_form(
        self,
        channel_id: str,
        name: str,
        answers: Mapping[str, str | float | None],
        *,
        idempotency_key: str | None = None,
    ) -> FormAnsweredResponse:
        """Fill in a form: `answer_form("shop", "order", {"size": "Large"})`. The answer is your message there.

        Raises: InvalidInput, of the code `bad_form_answer`, whose details name the field and the reason.
        """
        return await self._call(
            *("POST", FormAnsweredResponse, "channels", channel_id, "forms", name, "answers"),
            body={"answers": dict(answers)},
            idempotency_key=idempotency_key,
        )

    async def greeting(self, channel_id: str) -> Greeting:
        """The greeting of new subscribers; without text where there is none."""
        return await self._get(Greeting, "channels", channel_id, "greeting")

    async def set_greeting(self, channel_id: str, **greeting: Unpack[PutGreeting]) -> Greeting:
        return await self._call("PUT", Greeting, "channels", channel_id, "greeting", body=greeting)

    async def delete_greeting(self, channel_id: str) -> None:
        await self._do("DELETE", "channels", channel_id, "greeting")

    def auto_replies(self, channel_id: str) -> Paged[AutoReply, Page[AutoReply]]:
        """The automatic answers to keywords, by name."""
        return self._list(Page[AutoReply], "channels", channel_id, "auto-replies")

    async def auto_reply(self, channel_id: str, name: str) -> AutoReply:
        return await self._get(AutoReply, "channels", channel_id, "auto-replies", name)

    async def put_auto_reply(
        self, channel_id: str, name: str, **reply: Unpack[PutAutoReply]
    ) -> AutoReply:
        """Store an automatic answer under this name, in place of the one before."""
        path = ("channels", channel_id, "auto-replies", name)
        return await self._call("PUT", AutoReply, *path, body=reply)

    async def delete_auto_reply(self, channel_id: str, name: str) -> None:
        await self._do("DELETE", "channels", channel_id, "auto-replies", name)

    async def opening_hours(self, channel_id: str) -> OpeningHours:
        """The hours, and what is answered outside of them; without a time zone where there are none."""
        return await self._get(OpeningHours, "channels", channel_id, "opening-hours")

    async def set_opening_hours(
        self, channel_id: str, **hours: Unpack[PutOpeningHours]
    ) -> OpeningHours:
        path = ("channels", channel_id, "opening-hours")
        return await self._call("PUT", OpeningHours, *path, body=hours)

    async def delete_opening_hours(self, channel_id: str) -> None:
        await self._do("DELETE", "channels", channel_id, "opening-hours")
