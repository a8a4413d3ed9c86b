"""The endpoints of a user's data: export, deletion, and how far a deletion is."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from channels.user_data.errors import (
    ConfirmationMismatch,
    DeletionNotFound,
    ExportRunning,
    OwnsChannels,
)
from channels.user_data.models import Deletion, Messages
from channels.user_data.service.deletion import UserDeletions
from channels.user_data.service.export import Line, UserExports
from channels.user_data.service.steps import DeletionSteps
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, NdjsonStream, Query, Response, delete, get
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import AnyUserIdText, UserId, UserIdText, user_or_caller
from groups.routes.responses.fields import Instant


class ExportQuery(Query):
    """Where an export goes on."""

    cursor: Annotated[
        str | None,
        Field(
            max_length=2_048,
            description="The `cursor` of the last line of that type; without it the export begins anew.",
        ),
    ] = None


class ExportLine(Response):
    """A line of an export. `data` depends on `type`.

    `start` has `version`, `user_id` and `at`; `cursor` has `cursor`, to go on behind it; `end`, the last line, has
    `counts`, the lines of each type that this answer holds. An answer without `end` is not complete.
    """

    type: Annotated[
        str,
        Field(
            description="`start`, `cursor` or `end`, or what the line shows: `profile`, `membership`, `join_request`,"
            " `invitation`, `restriction`, `upload`, `conversation_settings`, `conversation_group`, `block`, `draft`,"
            " `device`, `report`, `message`, `comment`, `one_to_one`, `reaction`, `vote`. Newer servers may send more."
        ),
    ]
    data: dict[str, Any]


class DeleteUser(Body):
    """A deletion, whose user is named twice."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"confirm": "ada", "messages": "keep"}]}
    )

    confirm: Annotated[
        AnyUserIdText, Field(description="The id of the user, spelled out also for `me`.")
    ]
    messages: Annotated[
        Messages,
        Field(
            description="The fate of the user's posts and group messages: `keep` puts a random id in the place of"
            " the sender, `delete` deletes them for everyone."
        ),
    ] = Messages.KEEP


class DeletionResponse(Response):
    """The deletion of a user, and how far it is."""

    user_id: UserId
    state: Annotated[
        Literal["running", "blocked", "done"],
        Field(
            description="`blocked`: the user came to own a group or channel meanwhile; it goes on once they own none."
        ),
    ]
    messages: Messages
    started_at: Instant
    finished_at: Instant | None
    step: Annotated[int, Field(description="Steps that are done.")]
    steps: Annotated[int, Field(description="All steps.")]
    walked: Annotated[int, Field(description="Documents that were looked at so far.")]
    changed: Annotated[int, Field(description="Documents that were deleted or changed so far.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserDataRoutes:
    """Export and deletion of users."""

    tag = "Users"

    exports: UserExports
    deletions: UserDeletions
    steps: DeletionSteps

    @get("/v1/users/{user_id}/export", errors=[PermissionRefused, BadCursor, ExportRunning])
    async def export_user(
        self, actor: Actor, user_id: AnyUserIdText, query: ExportQuery
    ) -> NdjsonStream[ExportLine]:
        """Export all that is stored of a user, line by line (`me`, or any user for the application).

        After each page of lines comes one of the type `cursor`; a broken download goes on with it. Uploads are named
        with their path. One export of a user runs at a time.
        """
        named = user_or_caller(user_id, actor.user_id)
        return NdjsonStream(_shown(self.exports.export(actor, named, query.cursor)))

    @delete(
        "/v1/users/{user_id}",
        status=202,
        errors=[PermissionRefused, ConfirmationMismatch, OwnsChannels],
    )
    async def delete_user(
        self, actor: Actor, user_id: AnyUserIdText, body: DeleteUser
    ) -> DeletionResponse:
        """Delete a user and all that is stored of them (`me` where the deployment allows it; the application).

        The user's tokens are refused from now on. The rest is done in the background; `user.deleted` tells when.
        Repeating the call while it runs changes nothing.
        """
        named = user_or_caller(user_id, actor.user_id)
        deletion = await self.deletions.begin(
            actor, named, confirm=body.confirm, messages=body.messages
        )
        return self._response(named, deletion)

    @get("/v1/users/{user_id}/deletion", errors=[PermissionRefused, DeletionNotFound])
    async def deletion(self, actor: Actor, user_id: UserIdText) -> DeletionResponse:
        """Read how far the deletion of a user is (the application)."""
        return self._response(user_id, await self.deletions.get(actor, user_id))

    def _response(self, user_id: UserId, deletion: Deletion) -> DeletionResponse:
        progress = deletion.progress
        return DeletionResponse(
            user_id=user_id,
            state=deletion.state.value,
            messages=deletion.messages,
            started_at=deletion.started_at,
            finished_at=deletion.finished_at,
            step=progress.step,
            steps=self.steps.needed(progress),
            walked=progress.walked,
            changed=progress.changed,
        )


async def _shown(lines: AsyncGenerator[Line, None]) -> AsyncGenerator[ExportLine, None]:
    async with aclosing(lines):
        async for line in lines:
            yield ExportLine(type=line.type, data=dict(line.data))
