"""Forwarding: a copy of a message in another stream, which tells where it was first written.

Promises:
    Only what the forwarder may read, and only from where that is allowed (`Hooks.may_forward`): both are asked in the
    transaction that posts the copy.
    The origin names the group, never who wrote; a forward of a forward keeps the first origin.
    What is private, a group or a conversation of two, is not named at all: rendering knows no reader, so what not
    everybody may know is not stored. It is judged when the message is forwarded; a group that becomes private later
    stays named in the copies there are.
    A copy is independent: recalling what it was made from leaves it. The uploads count one more message each.
"""

from groups.errors import ForwardingNotAllowed, MediaNotFound, MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, join_key, mint_id
from groups.kernel.mongo import Tx
from groups.models import Group, Message, Origin, Source, Visibility
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.media.service import media_ids_of
from groups.service.messages.batch import ContentLoader, Prepared
from groups.service.messages.service import MessageService, Posted
from groups.store.media import MediaStore


class ForwardService:
    """Copies of messages in other streams."""

    def __init__(
        self,
        posting: MessageService,
        media: MediaStore,
        guard: AccessGuard,
        hooks: Hooks,
    ) -> None:
        self._posting = posting
        self._media = media
        self._guard = guard
        self._hooks = hooks

    async def forward(
        self,
        actor: Actor,
        group_id: GroupId,
        source: Source,
        *,
        key: str | None = None,
        silent: bool = False,
    ) -> Posted:
        """Post a copy of a message of the source in the group's stream; with a `key`, once.

        Publishes: MessagePosted. Raises: as a post; GroupNotFound, MessageNotFound, PermissionRefused, Banned,
        MessageRecalled, ForwardingNotAllowed for the source.
        """
        take, said = self.taking(actor, source, silent=silent), said_by(source, silent=silent)
        stored_key = f"c:{key}" if key else f"s:{mint_id()}"
        return await self._posting.post_taken(actor, group_id, take, key=stored_key, said=said)

    async def preview(
        self,
        actor: Actor,
        group_id: GroupId,
        source: Source,
        *,
        silent: bool = False,
    ) -> Posted:
        """The message that forwarding this would make; nothing is stored.

        Raises: as `forward`.
        """
        return await self._posting.preview(
            actor, group_id, self.taking(actor, source, silent=silent)
        )

    def taking(self, actor: Actor, source: Source, *, silent: bool = False) -> ContentLoader:
        """What fetches the copy, inside the transaction that stores it, for a stream that a higher package keeps.

        It raises: GroupNotFound, MessageNotFound, PermissionRefused, Banned, MessageRecalled, ForwardingNotAllowed.
        """

        async def take(tx: Tx) -> Prepared:
            if source.group_id is not None:
                message, origin = await self._of_group(actor, source.group_id, source.seq, tx)
            else:
                message, origin = await self._of_private(actor, source, tx)
            if message.content is None:
                raise MessageRecalled
            uploads = media_ids_of(message.content)
            if uploads:
                known = await self._media.find_many(uploads, tx)
                for media_id in uploads:
                    if media_id not in known:
                        raise MediaNotFound(media_id=media_id)
            return Prepared(message.content, silent, origin)

        return take

    async def _of_group(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx
    ) -> tuple[Message, Origin]:
        access, message = await self._guard.find_message(actor, group_id, seq, tx)
        if message.content is None:
            raise MessageRecalled
        may_forward = self._hooks.may_forward
        if may_forward is not None and not await may_forward(access.group, tx):
            raise ForwardingNotAllowed
        return message, _origin_of(access.group, message)

    async def _of_private(self, actor: Actor, source: Source, tx: Tx) -> tuple[Message, Origin]:
        find, place = self._hooks.private_source, source.conversation_id
        if find is None or place is None:
            raise MessageNotFound
        message = await find(actor, place, source.seq, tx)
        if message is None:
            raise MessageNotFound
        return message, message.origin or Origin()


def said_by(source: Source, *, silent: bool = False) -> str:
    """What tells one forward from another under the same idempotency key."""
    place = source.group_id or source.conversation_id or ""
    return join_key("forward", place, source.seq, "silent" if silent else "")


def _origin_of(group: Group, message: Message) -> Origin:
    """Where the copy will say that it comes from."""
    if message.origin is not None:
        return message.origin
    if group.visibility is Visibility.PRIVATE:
        return Origin()
    return Origin(
        group_id=group.group_id, is_channel=group.is_channel, name=group.name, seq=message.seq
    )
