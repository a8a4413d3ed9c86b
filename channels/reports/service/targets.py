"""Finds what a user reports, as far as they may read it, and copies it for the case.

What the reporter may not read is refused as it is to any reader, with the error of the thing itself.
"""

from dataclasses import dataclass
from typing import assert_never

from channels.comments.errors import CommentNotFound
from channels.comments.models import PostPlace, writer_of
from channels.comments.service.reading import CommentReader
from channels.reports import policy
from channels.reports.models import (
    FoundTarget,
    ReportedProfile,
    Target,
    TargetType,
    WantedTarget,
    message_target_key,
    thing_target_key,
)
from channels.service.guard import ChannelGuard, InboxGuard
from conversations.models import ConversationId, Dialogue
from conversations.service.dialogues import DialogueService
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId, UserId
from groups.models import AccessContext, Message, User
from groups.service.access.guard import AccessGuard
from groups.service.users import UserService


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetFinder:
    """Finds targets for reporters."""

    guard: AccessGuard
    channel: ChannelGuard
    inbox: InboxGuard
    dialogues: DialogueService
    users: UserService
    comments: CommentReader

    async def find(self, actor: Actor, wanted: WantedTarget) -> FoundTarget:
        """The target, which the actor may read. Raises: the error of a reader; InvalidRequest where ids are missing."""
        refusal = policy.target_refusal(wanted)
        if refusal is not None:
            raise refusal
        match wanted.type:
            case TargetType.POST:
                assert wanted.channel_id is not None
                assert wanted.seq is not None
                return await self._post(actor, wanted.channel_id, wanted.seq)
            case TargetType.MESSAGE:
                assert wanted.seq is not None
                return await self._message(actor, wanted, wanted.seq)
            case TargetType.COMMENT:
                assert wanted.channel_id is not None
                assert wanted.post_seq is not None
                assert wanted.seq is not None
                return await self._comment(actor, wanted.channel_id, wanted.post_seq, wanted.seq)
            case TargetType.CHANNEL:
                assert wanted.channel_id is not None
                return await self._channel(actor, wanted.channel_id)
            case TargetType.GROUP:
                assert wanted.group_id is not None
                return await self._group(actor, wanted.group_id)
            case TargetType.USER:
                assert wanted.user_id is not None
                return await self._user(actor, wanted.user_id)
            case _ as unreachable:
                assert_never(unreachable)

    async def _post(self, actor: Actor, channel_id: GroupId, seq: int) -> FoundTarget:
        async with self.channel(channel_id):
            access, message = await self.guard.find_message(actor, channel_id, seq)
            if message.recalled_at is not None:
                raise MessageNotFound
        target = Target(type=TargetType.POST, channel_id=channel_id, seq=seq)
        return _found_message(target, access, message)

    async def _message(self, actor: Actor, wanted: WantedTarget, seq: int) -> FoundTarget:
        if wanted.group_id is not None:
            access, message = await self.guard.find_message(actor, wanted.group_id, seq)
            if message.recalled_at is not None:
                raise MessageNotFound
            if access.group.is_channel:
                target = Target(type=TargetType.POST, channel_id=wanted.group_id, seq=seq)
            else:
                target = Target(type=TargetType.MESSAGE, group_id=wanted.group_id, seq=seq)
            return _found_message(target, access, message)
        if wanted.channel_id is not None:
            assert wanted.user_id is not None
            dialogue = await self.inbox.thread(actor, wanted.channel_id, wanted.user_id)
            return await self._in_dialogue(actor, dialogue, seq, for_channel=True)
        assert wanted.conversation_id is not None
        dialogue = self.dialogues.of(actor, ConversationId(wanted.conversation_id))
        return await self._in_dialogue(actor, dialogue, seq, for_channel=False)

    async def _in_dialogue(
        self, actor: Actor, dialogue: Dialogue, seq: int, *, for_channel: bool
    ) -> FoundTarget:
        found = await self.dialogues.get(actor, dialogue, seq, for_channel=for_channel)
        message, channel_id = found.message, dialogue.channel_id
        if message.recalled_at is not None:
            raise MessageNotFound
        is_of_channel = channel_id is not None and message.sender_id == UserId(channel_id)
        author_id = None if is_of_channel else message.sender_id
        return FoundTarget(
            key=message_target_key(TargetType.MESSAGE, message.stream_id, seq),
            target=Target(
                type=TargetType.MESSAGE,
                channel_id=channel_id if is_of_channel else None,
                user_id=author_id,
            ),
            content=message.content,
            author_id=author_id,
        )

    async def _comment(
        self, actor: Actor, channel_id: GroupId, post_seq: int, seq: int
    ) -> FoundTarget:
        place = PostPlace(channel_id, post_seq)
        async with self.channel(channel_id):
            comment = (await self.comments.get(actor, place, seq)).message
        if comment.recalled_at is not None:
            raise CommentNotFound
        return FoundTarget(
            key=message_target_key(TargetType.COMMENT, place.stream_id, seq),
            target=Target(
                type=TargetType.COMMENT, channel_id=channel_id, post_seq=post_seq, seq=seq
            ),
            content=comment.content,
            author_id=writer_of(comment),
        )

    async def _channel(self, actor: Actor, channel_id: GroupId) -> FoundTarget:
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
        return _found_group(Target(type=TargetType.CHANNEL, channel_id=channel_id), access)

    async def _group(self, actor: Actor, group_id: GroupId) -> FoundTarget:
        access = await self.guard.access_of(actor, group_id)
        if access.group.is_channel:
            return _found_group(Target(type=TargetType.CHANNEL, channel_id=group_id), access)
        return _found_group(Target(type=TargetType.GROUP, group_id=group_id), access)

    async def _user(self, actor: Actor, user_id: UserId) -> FoundTarget:
        if user_id == actor.user_id:
            reason = "you cannot report yourself"
            raise InvalidRequest(errors=[{"field": "target.user_id", "reason": reason}])
        # Everybody with a token is a user, with a profile or without, so any id may be reported, as any may be blocked.
        user = (await self.users.find_users([user_id])).get(user_id) or User(user_id=user_id)
        return FoundTarget(
            key=thing_target_key(TargetType.USER, user_id),
            target=Target(type=TargetType.USER, user_id=user_id),
            profile=ReportedProfile(name=user.name, face_url=user.face_url),
            author_id=user_id,
        )


def _found_message(target: Target, access: AccessContext, message: Message) -> FoundTarget:
    assert target.seq is not None
    return FoundTarget(
        key=message_target_key(target.type, access.group.stream_id, target.seq),
        target=target,
        content=message.content,
        author_id=message.sender_id,
    )


def _found_group(target: Target, access: AccessContext) -> FoundTarget:
    group = access.group
    return FoundTarget(
        key=thing_target_key(target.type, group.group_id),
        target=target,
        profile=ReportedProfile(
            name=group.name, introduction=group.introduction, face_url=group.face_url
        ),
        author_id=group.owner_id,
    )
