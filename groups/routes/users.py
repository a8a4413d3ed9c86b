"""The API of users: profiles, and the revocation of tokens."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from groups.errors import MediaNotFound, UserNotFound, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, delete, get, patch
from groups.kernel.errors import FieldTooLong, PermissionRefused
from groups.kernel.ids import AnyUserIdText, UserId, UserIdText, user_or_caller
from groups.kernel.paging import Page
from groups.limits import IDS_PER_CALL
from groups.models import User
from groups.routes.responses.fields import ItemError, split_ids
from groups.routes.responses.members import UpdateUser, UserMissing, UserResponse
from groups.service.revocations import Revocations
from groups.service.users import UserService


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

    @get("/v1/users/me")
    async def me(self, actor: Actor) -> UserResponse:
        """Your profile."""
        return _view(await self.users.get(actor, actor.user_id))

    @patch("/v1/users/me", errors=[FieldTooLong, MediaNotFound, WrongMediaKind])
    async def update(self, actor: Actor, body: UpdateUser) -> UserResponse:
        """Change your name or picture, in all lists and messages."""
        return _view(await self.users.update(actor, body.model_dump(exclude_unset=True)))

    @get("/v1/users")
    async def list_users(self, actor: Actor, query: UserQuery) -> Page[UserResponse | UserMissing]:
        """The users with the given ids, in the same order; `user_not_found` for a user without a profile.

        Everyone with a token is a user, with or without a profile; an app can show the id. The owner of a channel who
        set no name has an empty profile, for those to whom the channel shows its owner.
        """
        ids = [UserId(text) for text in split_ids(query.ids)]
        found = await self.users.get_many(actor, ids)
        return Page(items=[_item(i, item) for i, item in zip(ids, found, strict=True)])

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


def _item(user_id: UserId, item: User | UserNotFound) -> UserResponse | UserMissing:
    if isinstance(item, UserNotFound):
        return UserMissing(user_id=user_id, error=ItemError.of(item))
    return _view(item)


def _view(user: User) -> UserResponse:
    return UserResponse(user_id=user.user_id, name=user.name, face_url=user.face_url)
