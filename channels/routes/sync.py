"""The route with which an app starts, and catches up after it was away."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from channels.errors import SyncTokenExpired
from channels.routes.admins import OwnInvitationResponse, own_invitation_response
from channels.routes.rendering import SubscribedRendering
from channels.routes.responses import ChannelResponse
from channels.service.sync import Surroundings, SyncedConversation, SyncedEnd, SyncService
from conversations.models import ConversationId
from conversations.routes.rendering import ConversationRendering
from conversations.routes.responses import (
    ConversationGroupResponse,
    ConversationResponse,
    UnreadResponse,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Rendered, Response, get
from groups.kernel.errors import BadCursor
from groups.kernel.paging import Page, PageQuery
from groups.limits import GroupLimits
from groups.models import DepartureReason
from groups.routes.responses.fields import Instant, json_of
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


@dataclass(kw_only=True, slots=True)
class SyncRoutes:
    """The start of an app. Conversations and channels are rendered as bytes, of which users share most."""

    tag = "Conversations"

    sync: SyncService
    group_limits: GroupLimits
    limits: dict[str, int | float | None]
    conversations: ConversationRendering
    channels: SubscribedRendering = field(default_factory=SubscribedRendering, init=False)

    @get("/v1/sync", errors=[BadCursor, SyncTokenExpired])
    async def start_or_catch_up(self, actor: Actor, query: SyncQuery) -> Rendered[SyncResponse]:
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
        beside = {
            "next_cursor": page.next_cursor,
            "sync_token": page.sync_token,
            "unread": page.unread._asdict(),
            "conversation_groups": [folder._asdict() for folder in page.folders],
            "invitations": _invitations(around),
            "user": own_user_response(around.user, around.restriction) if around else None,
            "limits": self.limits if around else None,
        }
        items = b",".join(map(self._item, page.items))
        return Rendered(b'{"items":[%b],%b' % (items, json_of(beside)[1:]))

    def _item(self, item: SyncedConversation | SyncedEnd) -> bytes:
        """The JSON of `SyncConversation` or `SyncEnd`."""
        if isinstance(item, SyncedEnd):
            end = {"reason": item.departure.reason, "at": item.departure.at}
            return json_of(
                {
                    "conversation_id": item.conversation_id,
                    "ended": end,
                    "again": item.may_repeat,
                }
            )
        channel = group = b"null"
        if item.channel is not None:
            channel = self.channels.channel(item.channel)
        if item.group is not None:
            access, stream = item.group
            most = access.group.limit_of_members(self.group_limits)
            response = group_response(access, stream, most)
            group = response.__pydantic_serializer__.to_json(response)
        conversation = self.conversations.conversation(item.loaded.listed)
        again = b"true" if item.may_repeat else b"false"
        parts = conversation[:-1], channel, group, again
        return b'%b,"channel":%b,"group":%b,"again":%b}' % parts


def _invitations(
    around: Surroundings | None,
) -> Page[OwnInvitationResponse | OwnGroupInvitationResponse] | None:
    if around is None:
        return None
    items = [own_invitation_response(*invited) for invited in around.invitations]
    return Page(items=items, next_cursor=around.invitations_cursor)
