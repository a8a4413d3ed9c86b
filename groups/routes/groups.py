"""The API of groups: create, read, list, change, disband."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from groups.errors import (
    BadGroupId,
    BadMemberLimit,
    BusinessAccount,
    ChannelSuspended,
    CustomFieldLimitReached,
    FixedInChannel,
    GroupIdTaken,
    GroupNotFound,
    GroupsPerOwnerReached,
    GroupsPerUserReached,
    MediaNotFound,
    NotAPerson,
    NotForThisType,
    ReservedCustomField,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import DomainError, FieldTooLong, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import GroupId, GroupIdText, UserIdText
from groups.kernel.paging import Page, PageQuery, page_of_ids
from groups.limits import IDS_PER_CALL, GroupLimits
from groups.models import AccessContext, GroupType, Stream
from groups.routes.responses.fields import ItemError, split_ids
from groups.routes.responses.groups import (
    CreateGroup,
    GroupMissing,
    GroupResponse,
    UpdateGroup,
    group_response,
)
from groups.service.lifecycle.cleanup import DisbandService
from groups.service.lifecycle.create import CreateService, NewGroup
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import GroupChanges, UpdateService


class GroupQuery(PageQuery):
    """Selects groups: those with these `ids`, for the application all of them, or those the caller is in."""

    ids: Annotated[
        str | None,
        Field(max_length=8192, description=f"Up to {IDS_PER_CALL} group ids, separated by commas."),
    ] = None
    joined: Annotated[
        bool | None,
        Field(description="The groups you are in; the default without `ids` and `all`."),
    ] = None
    every: Annotated[
        bool,
        Field(
            alias="all",
            description="All groups, private ones and channels included, by id (the application).",
        ),
    ] = False
    type: Annotated[
        GroupType | None, Field(description="With `all`: only groups of this type.")
    ] = None

    @model_validator(mode="after")
    def _type_needs_all(self) -> Self:
        if self.type is not None and not self.every:
            raise PydanticCustomError("type_needs_all", "`type` needs `all=true`")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRoutes:
    """The endpoints of groups."""

    tag = "Groups"

    groups: GroupReader
    creation: CreateService
    updates: UpdateService
    disbanding: DisbandService
    limits: GroupLimits

    def _group_response(self, access: AccessContext, stream: Stream) -> GroupResponse:
        return group_response(access, stream, access.group.limit_of_members(self.limits))

    @post(
        "/v1/groups",
        status=201,
        errors=[
            UserRestricted,
            GroupIdTaken,
            BadGroupId,
            BadMemberLimit,
            ReservedCustomField,
            CustomFieldLimitReached,
            GroupsPerOwnerReached,
            GroupsPerUserReached,
            NotForThisType,
            BusinessAccount,
            NotAPerson,
            PermissionRefused,
            MediaNotFound,
            WrongMediaKind,
            IdempotencyConflict,
        ],
    )
    async def create(self, actor: Actor, body: CreateGroup, key: IdempotencyKey) -> GroupResponse:
        """Create a group that you own; the application may create it for another owner (`owner_id`)."""
        new = NewGroup(**body.model_dump(exclude_unset=True))
        created = await self.creation.create(actor, new, key=key)
        return self._group_response(*await self.groups.get(actor, created.group.group_id))

    @get("/v1/groups", errors=[PermissionRefused])
    async def list_groups(
        self, actor: Actor, query: GroupQuery
    ) -> Page[GroupResponse | GroupMissing]:
        """The groups you are in, or those with the given ids; an id that cannot be shown has an error in its place.

        With `all`, every group of the deployment, for the application's back end.
        """
        if query.ids is not None:
            named = [GroupId(text) for text in split_ids(query.ids)]

            async def read(ids: Sequence[GroupId]) -> list[GroupResponse | GroupMissing]:
                found = await self.groups.get_many(actor, ids)
                return [self._item(i, item) for i, item in zip(ids, found, strict=True)]

            items, next_cursor = await page_of_ids(named, query.cursor, read)
            return Page(items=items, next_cursor=next_cursor)
        limit, cursor = query.limit, query.cursor
        if query.every:
            found = await self.groups.list_all(actor, query.type, limit=limit, cursor=cursor)
        else:
            found = await self.groups.list_joined(actor, limit=limit, cursor=cursor)
        seen, next_cursor = found
        return Page(items=[self._group_response(*item) for item in seen], next_cursor=next_cursor)

    @get("/v1/users/{user_id}/groups", errors=[PermissionRefused], tag="Users")
    async def groups_of_user(
        self, actor: Actor, user_id: UserIdText, query: PageQuery
    ) -> Page[GroupResponse]:
        """The groups and channels that a user is in, by id, as they see them (the application)."""
        found, next_cursor = await self.groups.list_of_user(
            actor, user_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[self._group_response(*item) for item in found], next_cursor=next_cursor)

    def _item(
        self, group_id: GroupId, item: tuple[AccessContext, Stream] | DomainError
    ) -> GroupResponse | GroupMissing:
        if isinstance(item, DomainError):
            return GroupMissing(group_id=group_id, error=ItemError.of(item))
        return self._group_response(*item)

    @get("/v1/groups/{group_id}", errors=[GroupNotFound])
    async def get_group(self, actor: Actor, group_id: GroupIdText) -> GroupResponse:
        """A group as you see it."""
        return self._group_response(*await self.groups.get(actor, group_id))

    @patch(
        "/v1/groups/{group_id}",
        errors=[
            UserRestricted,
            ChannelSuspended,
            GroupNotFound,
            PermissionRefused,
            ReservedCustomField,
            CustomFieldLimitReached,
            FixedInChannel,
            NotForThisType,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
        ],
    )
    async def update(self, actor: Actor, group_id: GroupIdText, body: UpdateGroup) -> GroupResponse:
        """Change a group's profile or settings (owner, admin)."""
        changes = GroupChanges(**body.model_dump(exclude_unset=True))
        await self.updates.update(actor, group_id, changes)
        return self._group_response(*await self.groups.get(actor, group_id))

    @delete("/v1/groups/{group_id}", status=204, errors=[GroupNotFound, PermissionRefused])
    async def disband(self, actor: Actor, group_id: GroupIdText) -> None:
        """Disband a group (owner; a Work group the application's admin only)."""
        await self.disbanding.disband(actor, group_id)
