"""Bodies and responses of the API of members and users."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel

from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import UserId, UserIdText
from groups.kernel.text import Line, MaxBytes, OneLine, Text
from groups.limits import NAME_CARD_BYTES, REQUEST_TEXT_BYTES, USER_NAME_BYTES
from groups.models import Member, Role, User
from groups.routes.responses.fields import FaceUrl, Instant, ItemError, PatchBody
from groups.routes.responses.invitations import InvitedResponse


class MemberResponse(Response):
    """A member."""

    user_id: UserId
    name: str
    face_url: str
    role: Role
    joined_at: Instant
    muted_until: Instant | None
    name_card: str


class AddedResponse(RootModel[MemberResponse | InvitedResponse]):
    """A member, or with 202 a user who is invited."""


def member_response(member: Member, user: User | None) -> MemberResponse:
    """The member with the user's profile."""
    return MemberResponse.model_construct(
        user_id=member.user_id,
        name=user.name if user else "",
        face_url=user.face_url if user else "",
        role=member.role,
        joined_at=member.joined_at,
        muted_until=member.muted_until,
        name_card=member.name_card,
    )


class JoinGroup(Body):
    """A message to those who approve the join request."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "I like tea too"}]})

    text: Annotated[Text, MaxBytes("request_text_bytes", REQUEST_TEXT_BYTES)] = ""


class ChangeMember(PatchBody):
    """New values for a member; fields that are left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "admin"}]})

    role: Annotated[
        Literal[Role.ADMIN, Role.MEMBER] | None,
        Field(description="`admin` or `member`; ownership is transferred."),
    ] = None
    mute_seconds: Annotated[
        int | None, Field(ge=0, le=10 * 365 * 86_400, description="0 ends the mute.")
    ] = None
    name_card: Annotated[Line, MaxBytes("name_card_bytes", NAME_CARD_BYTES)] | None = None


class RemoveMember(Body):
    """How a member is removed; `ban` as in the query parameter."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ban": True}]})

    ban: bool = False


class JoinRequestResponse(Response):
    """A user who waits for approval."""

    user_id: UserId
    name: str
    face_url: str
    text: str
    requested_at: Instant


class AnswerRequest(Body):
    """The answer to a join request."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"approve": True}]})

    approve: bool


class BanResponse(Response):
    """A banned user."""

    user_id: UserId
    banned_at: Instant | None
    banned_by: UserId | None


class NewOwner(Body):
    """The new owner of the group."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "bob"}]})

    user_id: UserIdText


class UserResponse(Response):
    """A user's profile."""

    user_id: UserId
    name: str
    face_url: str


class UserMissing(Response):
    """A requested user without a profile."""

    user_id: UserId
    error: ItemError


class UpdateUser(PatchBody):
    """New values; fields that are left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada"}]})

    name: Annotated[OneLine, MaxBytes("user_name_bytes", USER_NAME_BYTES)] | None = None
    face_url: FaceUrl | None = None
