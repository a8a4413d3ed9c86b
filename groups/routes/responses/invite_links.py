"""Bodies and responses of the API of invite links and join requests, which channels and chat groups share."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from groups.kernel.endpoint import Body, Response
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.bounded import MaxBytes, OneLine
from groups.limits import ANSWERS_PER_CALL, INVITE_LINK_NAME_BYTES, INVITE_LINK_USES
from groups.models import InviteLink, InviteLinkState, User
from groups.routes.responses.fields import Instant, InstantText, ItemError, PatchBody
from groups.service.membership.join_requests import RequestPage

CODE_CHARACTERS = 64
InviteCode = Annotated[
    str,
    Field(
        pattern=rf"^[A-Za-z0-9_-]{{1,{CODE_CHARACTERS}}}$",
        description="The code of an invite link, the last part of its address.",
        examples=["Zk3vX9qLr2TgW8sYb1NcQe4h"],
    ),
]

LinkName = Annotated[
    OneLine,
    MaxBytes("invite_link_name_bytes", INVITE_LINK_NAME_BYTES),
    Field(description="For those who manage the link; nobody else sees it."),
]
MaxUses = Annotated[
    int | None,
    Field(ge=1, le=INVITE_LINK_USES, description="How many may come in by it; null: any number."),
]
ExpiresAt = Annotated[
    InstantText | None, Field(description="Until when it can be used; null: for ever.")
]
Approval = Annotated[
    bool, Field(description="Users who come by it ask to join, and wait for an answer.")
]


class CreateInviteLink(Body):
    """An invite link; without any field it lets in anybody who has it, until it is revoked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Poster in the hall", "max_uses": 100}]}
    )

    name: LinkName = ""
    expires_at: ExpiresAt = None
    max_uses: MaxUses = None
    approval: Approval = False


class ChangeInviteLink(PatchBody):
    """New values of an invite link; fields that are left out stay. Null for `expires_at` or `max_uses`: no bound."""

    nullable: ClassVar[frozenset[str]] = frozenset({"expires_at", "max_uses"})
    model_config = ConfigDict(json_schema_extra={"examples": [{"max_uses": 200}]})

    name: LinkName | None = None
    expires_at: ExpiresAt = None
    max_uses: MaxUses = None
    approval: Approval | None = None


class InviteLinkQuery(PageQuery):
    """Which invite links."""

    state: Annotated[
        Literal["open", "ended"] | None,
        Field(description="`ended`: expired, used up or revoked. Without it all."),
    ] = None


class InviteLinkResponse(Response):
    """An invite link, as those see it who manage it.

    `uses` counts each join by it, and each request by it that was approved. `pending_requests` wait for an answer.
    """

    code: InviteCode
    url: str
    name: str
    created_by: UserId
    created_at: Instant
    expires_at: Instant | None
    max_uses: int | None
    uses: int
    pending_requests: int
    approval: bool
    revoked_at: Instant | None
    state: InviteLinkState


class InviteLinkWithQrResponse(InviteLinkResponse):
    """An invite link with the QR code of its address, as an SVG document."""

    qr_svg: str


@dataclass(frozen=True, slots=True)
class LinkAddresses:
    """Makes the addresses of invite links, and their QR codes."""

    url_of: Callable[[str], str]
    qr_svg: Callable[[str], Awaitable[str]]
    """Of an address."""


def invite_link_fields(link: InviteLink, addresses: LinkAddresses, now: datetime) -> dict[str, Any]:
    """The fields of the response for a link."""
    return {
        "code": link.code,
        "url": addresses.url_of(link.code),
        "name": link.name,
        "created_by": link.created_by,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
        "max_uses": link.max_uses,
        "uses": link.uses,
        "pending_requests": link.pending_requests,
        "approval": link.approval,
        "revoked_at": link.revoked_at,
        "state": link.state(now),
    }


class RequestLinkResponse(Response):
    """The invite link by which a user asked to join."""

    code: InviteCode
    name: str


class JoinRequestResponse(Response):
    """A user who waits for approval. `invite_link`: null where they asked without one, or it is gone."""

    user_id: UserId
    name: str
    face_url: str
    text: str
    requested_at: Instant
    invite_link: RequestLinkResponse | None


def join_request_page(page: RequestPage, users: Mapping[UserId, User]) -> Page[JoinRequestResponse]:
    """The page with the users' profiles."""
    items: list[JoinRequestResponse] = []
    for request in page.requests:
        user = users.get(request.user_id) or User(user_id=request.user_id)
        link = page.links.get(request.invite_link) if request.invite_link is not None else None
        items.append(
            JoinRequestResponse(
                user_id=user.user_id,
                name=user.name,
                face_url=user.face_url,
                text=request.text,
                requested_at=request.requested_at,
                invite_link=RequestLinkResponse(code=link.code, name=link.name) if link else None,
            )
        )
    return Page(items=items, next_cursor=page.next_cursor)


class AnswerRequest(Body):
    """The answer to a join request."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"approve": True}]})

    approve: bool


class AnswerRequests(Body):
    """The same answer to the join requests of several users; a user who is named twice counts once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_ids": ["bob", "cat"], "approve": True}]}
    )

    user_ids: Annotated[list[UserIdText], Field(min_length=1, max_length=ANSWERS_PER_CALL)]
    approve: bool


class AnsweredResponse(Response):
    """The outcome of one join request; `error` is null where it was answered."""

    user_id: UserId
    error: ItemError | None


class AnsweredRequestsResponse(Response):
    """The outcome of each join request, in the order of the call."""

    items: list[AnsweredResponse]


def answered_response(
    user_ids: Sequence[UserId], refusals: Sequence[DomainError | None]
) -> AnsweredRequestsResponse:
    """The response for answers to several requests."""
    items = [
        AnsweredResponse(user_id=user_id, error=ItemError.of(refusal) if refusal else None)
        for user_id, refusal in zip(user_ids, refusals, strict=True)
    ]
    return AnsweredRequestsResponse(items=items)
