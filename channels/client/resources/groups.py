"""Chat groups: their settings, members and messages."""

from collections.abc import Sequence
from typing import Literal

from pydantic import RootModel
from typing_extensions import Unpack

from channels.client.models import (
    Acknowledge,
    AcknowledgementPage,
    Added,
    Asked,
    ChangeMember,
    CreateGroup,
    Group,
    GroupMessagePage,
    GroupMissing,
    Invited,
    Member,
    Message,
    NewMessage,
    Page,
    Poll,
    Reactor,
    Reminder,
    Tally,
    UpdateGroup,
    Voter,
    WriteMessage,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, with_kind


class _Added(RootModel[Added]):
    pass


class Groups(Resource):
    """`client.groups`."""

    async def create(
        self, *, idempotency_key: str | None = None, **group: Unpack[CreateGroup]
    ) -> Group:
        return await self._call(
            "POST", Group, "groups", body=group, idempotency_key=idempotency_key
        )

    async def get(self, group_id: str) -> Group:
        return await self._get(Group, "groups", group_id)

    async def find(self, group_ids: Sequence[str]) -> list[Group | GroupMissing]:
        """Up to 50 groups, in this order; one that is not there has an `error`."""
        return (await self._get(Page[Group | GroupMissing], "groups", ids=list(group_ids))).items

    def joined(self, *, limit: int | None = None) -> Paged[Group, Page[Group]]:
        """The caller's groups."""
        return self._list(Page[Group], "groups", joined=True, limit=limit)

    async def update(self, group_id: str, **changes: Unpack[UpdateGroup]) -> Group:
        return await self._call("PATCH", Group, "groups", group_id, body=changes)

    async def disband(self, group_id: str) -> None:
        await self._do("DELETE", "groups", group_id)

    async def join(self, group_id: str, text: str | None = None) -> Group:
        """Join, or ask to: then `joined_at` is None, and admins read the `text`."""
        body = {} if text is None else {"text": text}
        return await self._call("PUT", Group, "groups", group_id, "members", "me", body=body)

    async def leave(self, group_id: str) -> None:
        await self._do("DELETE", "groups", group_id, "members", "me")

    # --- members ------------------------------------------------------------------------------------------------------

    def members(
        self, group_id: str, *, q: str | None = None, limit: int | None = None
    ) -> Paged[Member, Page[Member]]:
        return self._list(Page[Member], "groups", group_id, "members", q=q, limit=limit)

    async def add_member(self, group_id: str, user_id: str) -> Member | Invited:
        added = await self._call("PUT", _Added, "groups", group_id, "members", user_id)
        return added.root

    async def change_member(
        self, group_id: str, user_id: str, **changes: Unpack[ChangeMember]
    ) -> Member:
        """Change the role, the mute or the name card."""
        return await self._call(
            "PATCH", Member, "groups", group_id, "members", user_id, body=changes
        )

    async def remove_member(self, group_id: str, user_id: str, *, ban: bool = False) -> None:
        await self._do("DELETE", "groups", group_id, "members", user_id, query={"ban": ban})

    # --- messages -----------------------------------------------------------------------------------------------------

    async def send(
        self, group_id: str, *, idempotency_key: str | None = None, **content: Unpack[NewMessage]
    ) -> Message:
        """Write a message: `send(group_id, text="Hello")`."""
        return await self._call(
            *("POST", Message, "groups", group_id, "messages"),
            body=with_kind(content),
            idempotency_key=idempotency_key,
        )

    async def message(self, group_id: str, seq: int) -> Message:
        return await self._get(Message, "groups", group_id, "messages", seq)

    def messages(
        self,
        group_id: str,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        changed_since: int | None = None,
        around_seq: int | None = None,
        around: Literal["unread"] | None = None,
        limit: int | None = None,
    ) -> Paged[Message, GroupMessagePage]:
        """The messages, newest first. With `after_seq` and `changed_since` later pages lead towards the newest."""
        return self._paged(
            *(GroupMessagePage, Message, "groups", group_id, "messages"),
            before_seq=before_seq,
            after_seq=after_seq,
            changed_since=changed_since,
            around_seq=around_seq,
            around=around,
            limit=limit,
        )

    async def edit(self, group_id: str, seq: int, **content: Unpack[WriteMessage]) -> Message:
        body = with_kind(content)
        return await self._call("PATCH", Message, "groups", group_id, "messages", seq, body=body)

    async def delete(self, group_id: str, seq: int) -> None:
        """Delete for everyone; the seq stays."""
        await self._do("DELETE", "groups", group_id, "messages", seq)

    async def react(self, group_id: str, seq: int, emoji: str) -> Tally:
        return await self._call(
            "PUT", Tally, "groups", group_id, "messages", seq, "reactions", emoji
        )

    async def unreact(self, group_id: str, seq: int, emoji: str) -> Tally:
        return await self._call(
            "DELETE", Tally, "groups", group_id, "messages", seq, "reactions", emoji
        )

    def reactors(self, group_id: str, seq: int, emoji: str) -> Paged[Reactor, Page[Reactor]]:
        return self._list(Page[Reactor], "groups", group_id, "messages", seq, "reactions", emoji)

    async def vote(self, group_id: str, seq: int, *options: int) -> Poll:
        """Vote in a poll for these options, by their place from 0; they replace an earlier vote."""
        return await self._call(
            *("PUT", Poll, "groups", group_id, "messages", seq, "vote"), body={"options": options}
        )

    async def take_vote_back(self, group_id: str, seq: int) -> Poll:
        return await self._call("DELETE", Poll, "groups", group_id, "messages", seq, "vote")

    async def close_poll(self, group_id: str, seq: int) -> Poll:
        """Close a poll now; for those who may edit the message."""
        return await self._call("POST", Poll, "groups", group_id, "messages", seq, "poll", "close")

    async def acknowledge(self, group_id: str, seq: int) -> Acknowledge:
        """Acknowledge a message that asks for it; it cannot be taken back."""
        return await self._call(
            *("PUT", Acknowledge, "groups", group_id, "messages", seq, "acknowledgement")
        )

    def acknowledgements(
        self, group_id: str, seq: int, *, state: Literal["given", "missing"] = "given"
    ) -> Paged[Asked, AcknowledgementPage]:
        """The members who acknowledged the message, or have not, by id, with the counts. For the owner and admins."""
        return self._paged(
            *(AcknowledgementPage, Asked, "groups", group_id, "messages", seq, "acknowledgements"),
            state=state,
        )

    async def remind(self, group_id: str, seq: int) -> Reminder:
        """Remind those who have not acknowledged the message, once. For the owner and admins."""
        return await self._call(
            *("POST", Reminder, "groups", group_id, "messages", seq),
            *("acknowledgements", "reminder"),
        )

    def voters(self, group_id: str, seq: int, option: int) -> Paged[Voter, Page[Voter]]:
        """The users who chose the option; for members who see the results."""
        return self._list(Page[Voter], "groups", group_id, "messages", seq, "vote", option)
