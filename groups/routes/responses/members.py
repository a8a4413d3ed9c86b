"""Bodies and responses of the API of members and users."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from groups.kernel.endpoint import Body, Response
from groups.kernel.errors import DomainError, FieldTooLong, InvalidRequest
from groups.kernel.ids import ID_BYTES, UserId, UserIdText
from groups.kernel.text.bounded import TOO_LONG, Line, MaxBytes, OneLine, Text
from groups.limits import NAME_CARD_BYTES, REQUEST_TEXT_BYTES, USER_NAME_BYTES, USERS_PER_CALL
from groups.models import AccountKind, Member, Role, User, UserRestriction
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
    """A user's profile. `account_kind`: a `business` account cannot be written to or added as a person."""

    user_id: UserId
    name: str
    face_url: str
    account_kind: AccountKind


class OwnRestrictionResponse(Response):
    """The application restricts you: you read and leave, and add nothing. `until` null: until it is lifted."""

    until: Instant | None
    reason: str


class OwnUserResponse(UserResponse):
    """Your profile. `restriction`: how the application restricts you now; null: it does not."""

    restriction: OwnRestrictionResponse | None


def own_user_response(user: User, restriction: UserRestriction | None) -> OwnUserResponse:
    """The response for the user who asks, and what restricts them now."""
    own = None
    if restriction is not None:
        own = OwnRestrictionResponse(until=restriction.until, reason=restriction.reason)
    return OwnUserResponse(**dict(user), restriction=own)


class UserMissing(Response):
    """A requested user without a profile, or a user that could not be changed."""

    user_id: UserId
    error: ItemError


class UpdateUser(PatchBody):
    """New values; fields that are left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada"}]})

    name: Annotated[OneLine, MaxBytes("user_name_bytes", USER_NAME_BYTES)] | None = None
    face_url: FaceUrl | None = None


class SetUser(UpdateUser):
    """New values for one user; fields that are left out stay."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "ada", "name": "Ada", "face_url": "https://example.org/a.png"}]
        }
    )

    user_id: UserIdText
    account_kind: Annotated[
        AccountKind | None,
        Field(
            description="`business`: only tokens with the scope `business` are accepted for the user; `person`: only"
            " those without. Sockets of the other kind are closed; memberships and conversations stay."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class UnreadableUser:
    """An item of `SetUsers` that does not fit its schema, which is the result of this item alone."""

    user_id: UserId
    error: DomainError


def _or_unreadable(item: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(item)
    except ValidationError as invalid:
        given = item.get("user_id") if isinstance(item, dict) else None
        user_id = UserId(given[:ID_BYTES] if isinstance(given, str) else "")
        return UnreadableUser(user_id, _item_error(invalid))


def _item_error(invalid: ValidationError) -> DomainError:
    problem = invalid.errors(include_url=False, include_input=False)[0]
    field = str(problem["loc"][0]) if problem["loc"] else "user"
    if problem["type"] == TOO_LONG:
        return FieldTooLong(field, problem["ctx"]["limit_bytes"])
    reason = f"{field}: {problem['msg']}"
    return InvalidRequest(reason, errors=[{"field": field, "reason": problem["msg"]}])


class SetUsers(Body):
    """Users and their new values, each user once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"users": [{"user_id": "ada", "name": "Ada"}]}]}
    )

    users: Annotated[
        list[Annotated[SetUser, WrapValidator(_or_unreadable)]],
        Field(description=f"At most `users_per_call` ({USERS_PER_CALL})."),
    ]
