"""Invite links and join requests of channels and chat groups, and joining by a link."""

from collections.abc import Sequence
from typing import Literal

from typing_extensions import Unpack

from channels.client.models import (
    AnsweredRequests,
    ChangeInviteLink,
    CreateInviteLink,
    InviteLink,
    InviteLinkWithQr,
    InvitePreview,
    JoinedByLink,
    JoinRequest,
    OwnJoinRequest,
    Page,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource

Kind = Literal["channels", "groups"]


class InviteLinks(Resource):
    """`client.invite_links`. The calls of those who manage a place take `kind`: `channels`, or `groups`."""

    # --- with a link --------------------------------------------------------------------------------------------------

    async def preview(self, code: str) -> InvitePreview:
        """Where the link leads."""
        return await self._get(InvitePreview, "invite-links", code)

    async def join(self, code: str, *, text: str = "") -> JoinedByLink:
        """Join, or ask to join (`status` is `requested`). Repeating it changes nothing.

        `text` goes to those who answer.
        """
        body = {"text": text} if text else {}
        return await self._call("POST", JoinedByLink, "invite-links", code, "join", body=body)

    def own_requests(
        self, *, limit: int | None = None
    ) -> Paged[OwnJoinRequest, Page[OwnJoinRequest]]:
        """The caller's join requests that wait for an answer."""
        return self._list(Page[OwnJoinRequest], "join-requests", limit=limit)

    async def withdraw(self, place_id: str, *, kind: Kind = "channels") -> None:
        """Withdraw the caller's join request."""
        await self._do("DELETE", kind, place_id, "join-requests", "me")

    # --- for those who manage them ------------------------------------------------------------------------------------

    async def create(
        self,
        place_id: str,
        *,
        kind: Kind = "channels",
        idempotency_key: str | None = None,
        **link: Unpack[CreateInviteLink],
    ) -> InviteLink:
        return await self._call(
            "POST",
            InviteLink,
            kind,
            place_id,
            "invite-links",
            body=link,
            idempotency_key=idempotency_key,
        )

    def links(
        self,
        place_id: str,
        *,
        kind: Kind = "channels",
        state: Literal["open", "ended"] | None = None,
        limit: int | None = None,
    ) -> Paged[InviteLink, Page[InviteLink]]:
        """The links, newest first."""
        return self._list(
            Page[InviteLink], kind, place_id, "invite-links", state=state, limit=limit
        )

    async def get(self, place_id: str, code: str, *, kind: Kind = "channels") -> InviteLinkWithQr:
        """One link, with its QR code."""
        return await self._get(InviteLinkWithQr, kind, place_id, "invite-links", code)

    async def change(
        self,
        place_id: str,
        code: str,
        *,
        kind: Kind = "channels",
        **changes: Unpack[ChangeInviteLink],
    ) -> InviteLink:
        return await self._call(
            "PATCH", InviteLink, kind, place_id, "invite-links", code, body=changes
        )

    async def revoke(self, place_id: str, code: str, *, kind: Kind = "channels") -> None:
        """Revoke a link. Repeating it changes nothing."""
        await self._do("DELETE", kind, place_id, "invite-links", code)

    def requests(
        self, place_id: str, *, kind: Kind = "channels", limit: int | None = None
    ) -> Paged[JoinRequest, Page[JoinRequest]]:
        """The join requests that wait for an answer."""
        return self._list(Page[JoinRequest], kind, place_id, "join-requests", limit=limit)

    async def answer(
        self,
        place_id: str,
        user_ids: Sequence[str],
        *,
        approve: bool,
        kind: Kind = "channels",
    ) -> AnsweredRequests:
        """Approve or refuse up to 100 join requests; each has a result of its own."""
        body = {"user_ids": [*user_ids], "approve": approve}
        return await self._call(
            "POST", AnsweredRequests, kind, place_id, "join-requests", body=body
        )
