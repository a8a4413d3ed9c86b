"""The API of users: profiles, one by one and in bulk, the kind of account, and the revocation of tokens."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from groups.errors import MediaNotFound, UserNotFound, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, delete, get, patch, post
from groups.kernel.errors import DomainError, FieldTooLong, InvalidRequest, PermissionRefused
from groups.kernel.ids import AnyUserIdText, UserId, UserIdText, user_or_caller
from groups.kernel.paging import Page
from groups.limits import IDS_PER_CALL, GroupLimits
from groups.models import AccountKind, User
from groups.routes.responses.fields import ItemError, split_ids
from groups.routes.responses.members import (
    OwnUserResponse,
    SetUsers,
    UnreadableUser,
    UpdateUser,
    UserMissing,
    UserResponse,
    own_user_response,
)
from groups.service.revocations import Revocations
from groups.service.users import UserChange, UserService


class UserQuery(Query):
    """Selects users."""

    ids: Annotated[
        str,
        Field(
            max_length=8192,
            description=f"Up to {IDS_PER_CALL} user ids, separated by commas; an id with a comma needs a call of"
            " its own.",
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserRoutes:
    """The endpoints of users."""

    tag = "Users"

    users: UserService
    revocations: Revocations
    limits: GroupLimits

    @get("/v1/users/me")
    async def me(self, actor: Actor) -> OwnUserResponse:
        """Your profile, the kind of your account, and whether the application restricts you."""
        return own_user_response(*await self.users.get_own(actor))

    @patch("/v1/users/me", errors=[FieldTooLong, MediaNotFound, WrongMediaKind])
    async def update(self, actor: Actor, body: UpdateUser) -> OwnUserResponse:
        """Change your name or picture, in all lists and messages."""
        return own_user_response(
            *await self.users.update(actor, body.model_dump(exclude_unset=True))
        )

    @get("/v1/users")
    async def list_users(self, actor: Actor, query: UserQuery) -> Page[UserResponse | UserMissing]:
        """The users with the given ids, in the same order; `user_not_found` for a user without a profile.

        Everyone with a token is a user, with or without a profile; an app can show the id. The owner of a channel who
        set no name has an empty profile, for those to whom the channel shows its owner.
        """
        ids = [UserId(text) for text in split_ids(query.ids)]
        found = await self.users.get_many(actor, ids)
        return Page(items=[_item(i, item) for i, item in zip(ids, found, strict=True)])

    @post("/v1/users", errors=[PermissionRefused])
    async def set_users(self, actor: Actor, body: SetUsers) -> Page[UserResponse | UserMissing]:
        """Create and change the profiles of many users, and the kinds of their accounts (the application).

        The results are in the order of `users`, each the user's profile now, or the error of this user alone. Repeating
        the call changes nothing.
        """
        if len(body.users) > self.limits.users_per_call:
            reason = f"at most {self.limits.users_per_call} users a call"
            raise InvalidRequest(reason, errors=[{"field": "users", "reason": reason}])
        results: list[tuple[UserId, User | DomainError | None]] = []
        changes: dict[UserId, UserChange] = {}
        for item in body.users:
            if isinstance(item, UnreadableUser):
                results.append((item.user_id, item.error))
            elif item.user_id in changes:
                reason = "is named twice in this call"
                named = InvalidRequest(
                    f"user_id: {reason}", errors=[{"field": "user_id", "reason": reason}]
                )
                results.append((item.user_id, named))
            else:
                values = item.model_dump(exclude_unset=True, exclude={"user_id", "account_kind"})
                kind: AccountKind | None = item.account_kind
                changes[item.user_id] = UserChange(item.user_id, values, kind)
                results.append((item.user_id, None))
        done = iter(await self.users.update_many(actor, list(changes.values())))
        return Page(items=[_item(user_id, known or next(done)) for user_id, known in results])

    @get("/v1/users/{user_id}", errors=[UserNotFound])
    async def user(self, actor: Actor, user_id: UserIdText) -> UserResponse:
        """A user's profile.

        It is empty for the owner of a channel who set no name, if you are an admin of the channel or it signs its
        posts.
        """
        return _view(await self.users.get(actor, user_id))

    @delete("/v1/users/{user_id}/tokens", status=204, errors=[PermissionRefused])
    async def revoke(self, actor: Actor, user_id: AnyUserIdText) -> None:
        """Revoke all tokens that were issued to a user until now (`me`, or any user for the application).

        The user's sockets are closed. Other server processes follow within moments.
        """
        await self.revocations.revoke(actor, user_or_caller(user_id, actor.user_id))


def _item(user_id: UserId, item: User | DomainError) -> UserResponse | UserMissing:
    if isinstance(item, DomainError):
        return UserMissing(user_id=user_id, error=ItemError.of(item))
    return _view(item)


def _view(user: User) -> UserResponse:
    return UserResponse(
        user_id=user.user_id,
        name=user.name,
        face_url=user.face_url,
        account_kind=user.account_kind,
    )
