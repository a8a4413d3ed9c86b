"""The route with which an app starts, and catches up after it was away."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from channels.errors import SyncTokenExpired
from channels.routes.admins import OwnInvitationResponse, own_invitation_response
from channels.routes.responses import ChannelResponse, channel_response
from channels.service.sync import Surroundings, SyncedConversation, SyncedEnd, SyncService
from conversations.models import ConversationId
from conversations.routes.responses import (
    ConversationGroupResponse,
    ConversationResponse,
    UnreadResponse,
    conversation_response,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Response, get
from groups.kernel.errors import BadCursor
from groups.kernel.paging import Page, PageQuery
from groups.limits import GroupLimits
from groups.models import DepartureReason
from groups.routes.responses.fields import Instant
from groups.routes.responses.groups import GroupResponse, group_response
from groups.routes.responses.invitations import OwnGroupInvitationResponse
from groups.routes.responses.members import OwnUserResponse, own_user_response


class SyncQuery(PageQuery):
    """Since when, and the size of a page."""

    since: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            description="The last `sync_token`: only what changed since. Without it, everything from the start.",
        ),
    ] = None


class SyncConversation(ConversationResponse):
    """A conversation as it is now, with its channel or its group.

    Hidden ones come only as changes. `again`: you may have it already, since more changed at your last sync than its
    token holds.
    """

    channel: ChannelResponse | None
    group: GroupResponse | None
    again: bool


class End(Response):
    """Why a conversation ended, and when."""

    reason: DepartureReason
    at: Instant


class SyncEnd(Response):
    """A conversation that you no longer have."""

    conversation_id: ConversationId
    ended: End
    again: bool


class SyncResponse(Page[SyncConversation | SyncEnd]):
    """A page of your conversations, or of what changed among them.

    `sync_token`: for `since` in the next sync; null while more changes follow. `user`, `invitations` and `limits` come
    whole with the first page, and are null on later ones. `limits` are by the names of their settings; null: none.
    """

    sync_token: str | None
    unread: UnreadResponse
    conversation_groups: list[ConversationGroupResponse]
    invitations: Page[OwnInvitationResponse | OwnGroupInvitationResponse] | None
    user: OwnUserResponse | None
    limits: dict[str, int | float | None] | None


_OTHERS: Final = tuple(ConversationResponse.model_fields)


@dataclass(kw_only=True, slots=True)
class SyncRoutes:
    """The start of an app."""

    tag = "Conversations"

    sync: SyncService
    group_limits: GroupLimits
    limits: dict[str, int | float | None]

    @get("/v1/sync", errors=[BadCursor, SyncTokenExpired])
    async def start_or_catch_up(self, actor: Actor, query: SyncQuery) -> SyncResponse:
        """Everything that an app needs to start, or what changed since its last `sync_token`.

        Without `since`: the first page of your conversations, as `GET /v1/conversations` lists them, each with its
        channel or group. With it: each conversation that is new, changed, read elsewhere, or ended.
        """
        if query.since is None:
            page = await self.sync.start(actor, limit=query.limit, cursor=query.cursor)
        else:
            page = await self.sync.list_changes(
                actor, query.since, limit=query.limit, cursor=query.cursor
            )
        around = page.surroundings
        return SyncResponse.model_construct(
            items=[self._item(item) for item in page.items],
            next_cursor=page.next_cursor,
            sync_token=page.sync_token,
            unread=UnreadResponse.model_construct(**page.unread._asdict()),
            conversation_groups=[
                ConversationGroupResponse.model_construct(**folder._asdict())
                for folder in page.folders
            ],
            invitations=_invitations(around),
            user=own_user_response(around.user, around.restriction) if around else None,
            limits=self.limits if around else None,
        )

    def _item(self, item: SyncedConversation | SyncedEnd) -> SyncConversation | SyncEnd:
        if isinstance(item, SyncedEnd):
            end = End.model_construct(reason=item.departure.reason, at=item.departure.at)
            return SyncEnd.model_construct(
                conversation_id=item.conversation_id, ended=end, again=item.may_repeat
            )
        group = None
        if item.group is not None:
            access, stream = item.group
            most = access.group.limit_of_members(self.group_limits)
            group = group_response(access, stream, most)
        listed = conversation_response(item.loaded.listed)
        return SyncConversation.model_construct(
            **{name: getattr(listed, name) for name in _OTHERS},
            channel=channel_response(item.channel) if item.channel else None,
            group=group,
            again=item.may_repeat,
        )


def _invitations(
    around: Surroundings | None,
) -> Page[OwnInvitationResponse | OwnGroupInvitationResponse] | None:
    if around is None:
        return None
    items = [own_invitation_response(*invited) for invited in around.invitations]
    return Page(items=items, next_cursor=around.invitations_cursor)
