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
from channels.demo.script.models import ChannelScript, ChatScript, FolderScript, Item
from channels.demo.script.people import PEOPLE
from channels.demo.store import is_empty
from channels.errors import ChannelIdTaken
from channels.limits import Limits
from channels.models import CHANNEL_PREFIX, NewChannel
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
from groups.models import Content, GroupType, JoinOption, Kind, Role, Visibility
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
    def limits(self) -> Limits: ...
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
    await asyncio.gather(
        *(_with_clock(now, compose, _ChannelWriter(script).write) for script in CHANNELS),
        *(_with_clock(now, compose, _ChatWriter(script).write) for script in CHATS),
    )
    for folder in FOLDERS:
        await _create_folder(services, folder)
    return True


async def _with_clock(
    now: datetime, compose: Compose, write: Callable[[Scene, SetClock], Awaitable[None]]
) -> None:
    clock = SetClock(now)
    services = compose(clock)
    try:
        await write(services, clock)
    finally:
        await services.stop()


async def _try(step: Awaitable[object]) -> None:
    # Limits of the deployment may refuse a step. The scene is incomplete then, but the server starts.
    with suppress(LimitReached, PermissionDenied, NotFound, InvalidInput, RateLimited):
        await step


async def _try_all(steps: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*(_try(step) for step in steps))


class _ChannelWriter:
    def __init__(self, script: ChannelScript) -> None:
        self._script = script
        self._id = GroupId(CHANNEL_PREFIX + script.id_suffix)
        self._owner = _actor(script.owner)

    async def write(self, scene: Scene, clock: SetClock) -> None:
        """Writes the channel from its creation to the present."""
        script = self._script
        clock.set_to(hours_ago=script.created_hours_ago)
        # As the application's admin, since a deployment may not allow users to create channels.
        owner = Actor(self._owner.user_id, is_app_admin=True)
        new = NewChannel(
            channel_id=self._id,
            name=script.name,
            organization=script.organization,
            introduction=script.introduction,
            visibility=Visibility.PRIVATE if script.is_private else Visibility.PUBLIC,
            signatures=script.signatures,
        )
        # Another process, or one that crashed, has created it. Continue with what is there.
        try:
            with suppress(ChannelIdTaken):
                await scene.channels.channels.create(owner, new)
        except LimitReached:
            return
        await self._add_subscribers(scene)
        for number, post in enumerate(script.posts, start=1):
            clock.set_to(hours_ago=post.hours_ago)
            await _try(self._publish(scene, number, post))
        await _mark_read(scene, self._id, len(script.posts), script.unread)

    async def _add_subscribers(self, scene: Scene) -> None:
        script, memberships = self._script, scene.chat.membership
        if script.is_private:
            await _try_all(
                memberships.add(self._owner, self._id, UserId(user_id))
                for user_id in script.subscribers
            )
        else:
            await _try_all(
                memberships.join(_actor(user_id), self._id) for user_id in script.subscribers
            )
        await _try_all(
            memberships.change(self._owner, self._id, UserId(user_id), role=Role.ADMIN)
            for user_id in script.admins
        )

    async def _publish(self, scene: Scene, number: int, post: Item) -> None:
        author = _actor(post.by) if post.by else self._owner
        key = f"{KEY}-{number}"
        posted = await scene.chat.messages.post(author, self._id, _content(post), key=key)
        seq = posted.message.seq
        # Each user gives one emoji, so each reaction comes from the next subscriber. Each post starts at another one.
        subscribers = self._script.subscribers
        next_reactor = number * 7
        steps: list[Awaitable[object]] = []
        for emoji, count in post.reactions.items():
            for _ in range(count):
                reactor = _actor(subscribers[next_reactor % len(subscribers)])
                steps.append(scene.reactions.react(reactor, self._id, seq, Emoji(emoji)))
                next_reactor += 1
        await _try_all(steps)


class _ChatWriter:
    def __init__(self, script: ChatScript) -> None:
        self._script = script
        self._id = GroupId(script.group_id)

    async def write(self, scene: Scene, clock: SetClock) -> None:
        """Writes the group from its creation to the present."""
        script = self._script
        clock.set_to(hours_ago=script.created_hours_ago)
        owner = _actor(script.owner)
        new = NewGroup(
            group_id=self._id,
            type=script.type,
            name=script.name,
            introduction=script.introduction,
            join_option=None if script.type is GroupType.WORK else JoinOption.FREE,
        )
        with suppress(GroupIdTaken):
            await scene.chat.creation.create(owner, new)
        await _try_all(
            scene.chat.membership.add(owner, self._id, UserId(user_id))
            for user_id in script.members
        )
        for number, message in enumerate(script.messages, start=1):
            clock.set_to(hours_ago=message.hours_ago)
            await _try(self._post(scene, number, message))
        await _mark_read(scene, self._id, len(script.messages), script.unread)

    async def _post(self, scene: Scene, number: int, message: Item) -> None:
        posted = await scene.chat.messages.post(
            _actor(message.by), self._id, _content(message), key=f"{KEY}-{number}"
        )
        seq = posted.message.seq
        members = (self._script.owner, *self._script.members)
        others = [user_id for user_id in members if user_id != message.by]
        await _try_all(
            scene.reactions.react(_actor(others[index % len(others)]), self._id, seq, Emoji(emoji))
            for emoji, count in message.reactions.items()
            for index in range(count)
        )


async def _mark_read(scene: Scene, group_id: GroupId, head: int, unread: dict[str, int]) -> None:
    """Lets each user read all but so many messages. Users without an entry have read nothing."""
    conversation_id = conversation_of(group_id)
    await _try_all(
        scene.conversations.read_cursors.mark_read(
            _actor(user_id), conversation_id, seq=head - left
        )
        for user_id, left in unread.items()
        if left < head
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


def _content(item: Item) -> Content:
    return Content(kind=Kind.TEXT, title=item.title, text=item.text, links=item.links)
