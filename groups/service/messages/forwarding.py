"""Forwarding: a copy of a message in another stream, which tells where it was first written.

Promises:
    Users forward only what they may read, and only from groups that allow it (`Hooks.may_forward`). Both are checked in
    the transaction that posts the copy.
    The origin names the group, never the author; a forward of a forward keeps the first origin.
    A private group or a one-to-one conversation is not named at all: rendering does not know the reader, so what some
    readers must not know is not stored. Visibility counts as it is when the message is forwarded; a group that becomes
    private later stays named in the copies that exist.
    A copy is independent: deleting the original leaves it. Each upload counts one more message.
    A poll is copied without its votes, as long as it is open. A copy does not ask for acknowledgement.
    Of its buttons a copy keeps the links: elsewhere a press of another one would reach nobody.
"""

from dataclasses import dataclass

from groups.errors import (
    ForwardingNotAllowed,
    MediaNotFound,
    MessageNotFound,
    MessageRecalled,
    PollClosed,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import Tx
from groups.models import ActionKind, Content, Group, Message, Origin, Source, Visibility
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.media.service import media_ids_of
from groups.service.messages.posting import ContentLoader, LoadedContent, post_key
from groups.service.messages.service import MessageService, VisibleMessage
from groups.store.media import MediaStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardService:
    """Copies of messages in other streams."""

    messages: MessageService
    media: MediaStore
    guard: AccessGuard
    hooks: Hooks
    clock: Clock

    async def forward(
        self,
        actor: Actor,
        group_id: GroupId,
        source: Source,
        *,
        key: str | None = None,
        silent: bool = False,
    ) -> VisibleMessage:
        """Post a copy of the source's message in the group's stream; with a `key`, once. Publishes: MessagePosted."""
        load = self.loader(actor, source, silent=silent)
        known_as = post_key(key, forward_fingerprint_of(source, silent=silent))
        return await self.messages.post_loaded(actor, group_id, load, key=known_as)

    async def preview(
        self, actor: Actor, group_id: GroupId, source: Source, *, silent: bool = False
    ) -> VisibleMessage:
        """The message that forwarding this would make; nothing is stored."""
        load = self.loader(actor, source, silent=silent)
        return await self.messages.preview(actor, group_id, load)

    def loader(self, actor: Actor, source: Source, *, silent: bool = False) -> ContentLoader:
        """A function that makes the copy, inside the transaction that stores it."""

        async def load(tx: Tx) -> LoadedContent:
            if source.group_id is not None:
                message, origin = await self._of_group(actor, source.group_id, source.seq, tx)
            else:
                message, origin = await self._of_dialogue(actor, source, tx)
            if message.content is None:
                raise MessageRecalled
            poll = message.content.poll
            if poll is not None and poll.is_closed(self.clock.now()):
                raise PollClosed
            uploads = media_ids_of(message.content)
            if uploads:
                known = await self.media.find_uploads(uploads, tx)
                for media_id in uploads:
                    if media_id not in known:
                        raise MediaNotFound(media_id=media_id)
            # The copy asks nobody: who must know it, and by when, was the other author's wish.
            content = message.content.model_copy(update={"acknowledge": False})
            return LoadedContent(_with_link_buttons(content), silent, origin)

        return load

    async def _of_group(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx
    ) -> tuple[Message, Origin]:
        access, message = await self.guard.find_message(actor, group_id, seq, tx)
        if message.content is None:
            raise MessageRecalled
        may_forward = self.hooks.may_forward
        if may_forward is not None and not await may_forward(access.group, tx):
            raise ForwardingNotAllowed
        return message, _origin_of(access.group, message)

    async def _of_dialogue(self, actor: Actor, source: Source, tx: Tx) -> tuple[Message, Origin]:
        find, conversation_id = self.hooks.private_source, source.conversation_id
        if find is None or conversation_id is None:
            raise MessageNotFound
        message = await find(actor, conversation_id, source.seq, tx)
        if message is None:
            raise MessageNotFound
        return message, message.origin or Origin()


def _with_link_buttons(content: Content) -> Content:
    rows = [
        tuple(button for button in row if button.action.kind is ActionKind.LINK)
        for row in content.buttons
    ]
    return content.model_copy(update={"buttons": tuple(row for row in rows if row)})


def forward_fingerprint_of(source: Source, *, silent: bool) -> str:
    """The text that differs where two forwards do."""
    place = source.group_id or source.conversation_id or ""
    return join_key("forward", place, source.seq, "silent" if silent else "")


def _origin_of(group: Group, message: Message) -> Origin:
    if message.origin is not None:
        return message.origin
    if group.visibility is Visibility.PRIVATE:
        return Origin()
    return Origin(
        group_id=group.group_id, is_channel=group.is_channel, name=group.name, seq=message.seq
    )
