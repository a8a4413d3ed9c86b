"""The API of groups: create, read, list, change, disband."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from groups.errors import (
    BadGroupId,
    BadMemberLimit,
    CustomFieldLimitReached,
    FixedInChannel,
    GroupIdTaken,
    GroupNotFound,
    GroupsPerOwnerReached,
    GroupsPerUserReached,
    MediaNotFound,
    NotForThisType,
    ReservedCustomField,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import DomainError, FieldTooLong, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import GroupId, GroupIdText
from groups.kernel.paging import Page, PageQuery, page_of_ids
from groups.limits import IDS_PER_CALL, GroupLimits
from groups.models import AccessContext, Stream
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
    """Selects groups: those with these `ids`, or those the caller is in."""

    ids: Annotated[
        str | None,
        Field(max_length=8192, description=f"Up to {IDS_PER_CALL} group ids, separated by commas."),
    ] = None
    joined: Annotated[
        bool | None, Field(description="The groups you are in; the default without `ids`.")
    ] = None


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
            GroupIdTaken,
            BadGroupId,
            BadMemberLimit,
            ReservedCustomField,
            CustomFieldLimitReached,
            GroupsPerOwnerReached,
            GroupsPerUserReached,
            NotForThisType,
            MediaNotFound,
            WrongMediaKind,
            IdempotencyConflict,
        ],
    )
    async def create(self, actor: Actor, body: CreateGroup, key: IdempotencyKey) -> GroupResponse:
        """Create a group that you own."""
        new = NewGroup(**body.model_dump(exclude_unset=True))
        created = await self.creation.create(actor, new, key=key)
        return self._group_response(*await self.groups.get(actor, created.group.group_id))

    @get("/v1/groups")
    async def list_groups(
        self, actor: Actor, query: GroupQuery
    ) -> Page[GroupResponse | GroupMissing]:
        """The groups you are in, or those with the given ids; an id that cannot be shown has an error in its place."""
        if query.ids is not None:
            named = [GroupId(text) for text in split_ids(query.ids)]

            async def read(ids: Sequence[GroupId]) -> list[GroupResponse | GroupMissing]:
                found = await self.groups.get_many(actor, ids)
                return [self._item(i, item) for i, item in zip(ids, found, strict=True)]

            items, next_cursor = await page_of_ids(named, query.cursor, read)
            return Page(items=items, next_cursor=next_cursor)
        joined, next_cursor = await self.groups.list_joined(
            actor, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[self._group_response(*item) for item in joined], next_cursor=next_cursor)

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
