"""Writes the scene (`channels.demo.script`) through the services.

Each channel and chat is written in order, with a clock of its own that is set to the time of each step. Channels and
chats are written concurrently. All ids and idempotency keys are fixed, so a second process repeats the same steps
without effect.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from channels.demo.script.channels import CHANNELS
from channels.demo.script.chats import CHATS, FOLDERS
from channels.demo.script.models import ChannelScript, ChatScript, FolderScript, GroupScript, Item
from channels.demo.script.people import PEOPLE
from channels.demo.store import is_empty
from channels.errors import ChannelIdTaken
from channels.models import NewChannel
from channels.wiring import Channels
from conversations.models import conversation_of
from conversations.service.settings import ConversationChanges
from conversations.wiring import Conversations
from groups.errors import GroupIdTaken
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.emoji_text import Emoji
from groups.kernel.errors import InvalidInput, LimitReached, NotFound, PermissionDenied, RateLimited
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database
from groups.models import Content, GroupType, JoinOption, Kind, Link, Role, Visibility
from groups.service.lifecycle.create import NewGroup
from groups.wiring import GroupChat
from reactions.service.reactions import ReactionService

KEY: Final = "demo"
"""The prefix of all idempotency keys."""


class Scene(Protocol):
    """The services that write the scene. `channels.server.app.Services` implements it."""

    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def chat(self) -> GroupChat: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def reactions(self) -> ReactionService: ...
    @property
    def channels(self) -> Channels: ...

    async def stop(self) -> None:
        """Waits for submitted work and stops."""


Compose = Callable[[Clock], Scene]
"""Creates services on the same database with this clock. They are not started."""


class SetClock:
    """A clock that stands still at the time it was set to."""

    def __init__(self, present: datetime) -> None:
        self._present = self._now = present

    def now(self) -> datetime:
        return self._now

    def set_to(self, *, hours_ago: float) -> None:
        """Sets the clock to so many hours before the present."""
        self._now = self._present - timedelta(hours=hours_ago)


async def fill_if_empty(services: Scene, compose: Compose) -> bool:
    """Writes the scene if the database holds no group. Returns whether it did.

    Steps that exceed the deployment's limits are left out. Raises: Unavailable.
    """
    if not await is_empty(services.database):
        return False
    now = services.clock.now()
    await asyncio.gather(
        *(
            services.chat.users.update(_actor(user_id), {"name": name})
            for user_id, name in PEOPLE.items()
        )
    )
    await asyncio.gather(*(_write(now, compose, script) for script in (*CHANNELS, *CHATS)))
    for folder in FOLDERS:
        await _create_folder(services, folder)
    return True


async def _try(step: Awaitable[object]) -> None:
    # Limits of the deployment may refuse a step. The scene is incomplete then, but the server starts.
    with suppress(LimitReached, PermissionDenied, NotFound, InvalidInput, RateLimited):
        await step


async def _try_all(steps: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*(_try(step) for step in steps))


async def _write(now: datetime, compose: Compose, script: GroupScript) -> None:
    """Writes the channel or chat from its creation to the present."""
    clock = SetClock(now)
    scene = compose(clock)
    try:
        clock.set_to(hours_ago=script.created_hours_ago)
        # If another process, or one that crashed, has created it: continue with what is there.
        with suppress(ChannelIdTaken, GroupIdTaken):
            await _try(_create(scene, script))
        await _add_members(scene, script)
        for number, item in enumerate(script.items, start=1):
            clock.set_to(hours_ago=item.hours_ago)
            await _try(_post(scene, script, number, item))
        conversation_id, head = conversation_of(GroupId(script.group_id)), len(script.items)
        await _try_all(
            scene.conversations.read_cursors.mark_read(
                _actor(user_id), conversation_id, seq=head - left
            )
            for user_id, left in script.unread.items()
            if left < head
        )
    finally:
        await scene.stop()


async def _create(scene: Scene, script: GroupScript) -> None:
    if isinstance(script, ChannelScript):
        # As the application's admin, since a deployment may not allow users to create channels.
        owner = Actor(UserId(script.owner), is_app_admin=True)
        channel = NewChannel(
            channel_id=GroupId(script.group_id),
            name=script.name,
            organization=script.organization,
            introduction=script.introduction,
            visibility=Visibility.PRIVATE if script.is_private else Visibility.PUBLIC,
            signatures=script.signatures,
        )
        await scene.channels.channels.create(owner, channel)
    elif isinstance(script, ChatScript):
        group = NewGroup(
            group_id=GroupId(script.group_id),
            type=script.type,
            name=script.name,
            introduction=script.introduction,
            join_option=None if script.type is GroupType.WORK else JoinOption.FREE,
        )
        await scene.chat.creation.create(_actor(script.owner), group)


async def _add_members(scene: Scene, script: GroupScript) -> None:
    membership, group_id, owner = scene.chat.membership, GroupId(script.group_id), script.owner
    channel = script if isinstance(script, ChannelScript) else None
    # Others would have to accept an invitation.
    app = Actor(UserId(script.owner), is_app_admin=True)
    await _try_all(
        membership.join(_actor(user_id), group_id)
        if channel and not channel.is_private
        else membership.add(app, group_id, UserId(user_id))
        for user_id in script.members
    )
    await _try_all(
        membership.change(_actor(owner), group_id, UserId(user_id), role=Role.ADMIN)
        for user_id in (channel.admins if channel else ())
    )


async def _post(scene: Scene, script: GroupScript, number: int, item: Item) -> None:
    author, group_id = item.by or script.owner, GroupId(script.group_id)
    links = tuple(Link(title=title, url=url) for title, url in item.links.items())
    content = Content(kind=Kind.TEXT, title=item.title, text=item.text, links=links)
    key = f"{KEY}-{number}"
    posted = await scene.chat.messages.post(_actor(author), group_id, content, key=key)
    # A user gives one emoji, so each reaction comes from the next user. Each item starts with another one.
    others = [user_id for user_id in (script.owner, *script.members) if user_id != author]
    emojis = [Emoji(emoji) for emoji, count in item.reactions.items() for _ in range(count)]
    await _try_all(
        scene.reactions.react(
            _actor(others[(number * 7 + place) % len(others)]), group_id, posted.message.seq, emoji
        )
        for place, emoji in enumerate(emojis)
    )


async def _create_folder(scene: Scene, script: FolderScript) -> None:
    actor = _actor(script.user_id)
    ids = [conversation_of(GroupId(group_id)) for group_id in script.group_ids]
    await _try(scene.conversations.conversation_groups.put(actor, script.name, ids))
    pin = ConversationChanges(pinned=True)
    pinned = conversation_of(GroupId(script.pinned))
    await _try(scene.conversations.settings.update_settings(actor, pinned, pin))


def _actor(user_id: str) -> Actor:
    return Actor(UserId(user_id))
