"""Writes the scene (`channels.demo.script`) through the services, each place with a clock of its own.

A place's past is written in order, with the clock set to each instant; places do not wait for each other. All ids are
fixed, and the idempotency keys of what is said, so a second process that does the same finds it done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from channels.demo.script.channels import CHANNELS
from channels.demo.script.chats import CHATS, TABS
from channels.demo.script.models import Chat, OfficialChannel, Said
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
"""The beginning of the idempotency keys of what is said."""


class Scene(Protocol):
    """The services as far as the scene is made with them (`channels.server.app.Services` is one)."""

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
        """Finish what was submitted."""


Compose = Callable[[Clock], Scene]
"""Makes services on the same database that live by this clock; they are not started."""


class SetClock:
    """Tells the instant it was set to."""

    def __init__(self, now: datetime) -> None:
        self._end = self._now = now

    def now(self) -> datetime:
        """The instant that is being written."""
        return self._now

    def set_back(self, *, hours: float) -> None:
        """Be so many hours before the end, which is the present of whoever wrote the scene."""
        self._now = self._end - timedelta(hours=hours)


async def fill_if_empty(services: Scene, compose: Compose) -> bool:
    """Make the scene in a database that holds no group; whether it was made.

    Limits set lower than the scene needs leave out what passes them. Raises: Unavailable.
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
        *(_with_clock(now, compose, _Channel(script).play) for script in CHANNELS),
        *(_with_clock(now, compose, _Chat(script).play) for script in CHATS),
    )
    await _set_up_tabs(services)
    return True


async def _with_clock(
    now: datetime, compose: Compose, play: Callable[[Scene, SetClock], Awaitable[None]]
) -> None:
    clock = SetClock(now)
    services = compose(clock)
    try:
        await play(services, clock)
    finally:
        await services.stop()


async def _try(step: Awaitable[object]) -> None:
    # What a deployment's own limits refuse is missing from the scene; that is no reason not to start.
    with suppress(LimitReached, PermissionDenied, NotFound, InvalidInput, RateLimited):
        await step


async def _try_all(steps: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*(_try(step) for step in steps))


class _Channel:
    def __init__(self, script: OfficialChannel) -> None:
        self._script = script
        self._id = GroupId(CHANNEL_PREFIX + script.name_in_id)
        self._owner = _actor(script.owner)

    async def play(self, scene: Scene, clock: SetClock) -> None:
        """The channel from its creation to now."""
        script = self._script
        clock.set_back(hours=script.opened_hours_ago)
        # The owner's own act, with the application's leave: a deployment may keep creation to itself.
        owner = Actor(self._owner.user_id, is_app_admin=True)
        new = NewChannel(
            channel_id=self._id,
            name=script.name,
            organization=script.organization,
            introduction=script.introduction,
            visibility=Visibility.PRIVATE if script.is_private else Visibility.PUBLIC,
            signatures=script.signatures,
        )
        # Taken: another process is at the same scene, or one that crashed was; both go on with what is there.
        try:
            with suppress(ChannelIdTaken):
                await scene.channels.channels.create(owner, new)
        except LimitReached:
            return
        await self._gather_subscribers(scene)
        for number, post in enumerate(script.posts, start=1):
            clock.set_back(hours=post.hours_ago)
            await _try(self._publish(scene, number, post))
        # Reading is what happens in the end: the clock of a read cursor is not shown to anybody.
        await _read(scene, self._id, len(script.posts), script.unread)

    async def _gather_subscribers(self, scene: Scene) -> None:
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

    async def _publish(self, scene: Scene, number: int, post: Said) -> None:
        author = _actor(post.by) if post.by else self._owner
        key = f"{KEY}-{number}"
        posted = await scene.chat.messages.post(author, self._id, _content(post), key=key)
        seq = posted.message.seq
        # One emoji a user, so the counts of a post are handed out one after another, starting elsewhere for each post.
        circle = self._script.subscribers
        place = number * 7
        steps: list[Awaitable[object]] = []
        for emoji, count in post.reactions.items():
            for _ in range(count):
                reactor = _actor(circle[place % len(circle)])
                steps.append(scene.reactions.react(reactor, self._id, seq, Emoji(emoji)))
                place += 1
        await _try_all(steps)


class _Chat:
    def __init__(self, script: Chat) -> None:
        self._script = script
        self._id = GroupId(script.group_id)

    async def play(self, scene: Scene, clock: SetClock) -> None:
        """The group from its creation to now."""
        script = self._script
        clock.set_back(hours=script.opened_hours_ago)
        owner = _actor(script.owner)
        new = NewGroup(
            group_id=self._id,
            type=GroupType(script.type),
            name=script.name,
            introduction=script.introduction,
            join_option=None if script.type == "work" else JoinOption.FREE,
        )
        with suppress(GroupIdTaken):
            await scene.chat.creation.create(owner, new)
        await _try_all(
            scene.chat.membership.add(owner, self._id, UserId(user_id))
            for user_id in script.members
        )
        for number, said in enumerate(script.messages, start=1):
            clock.set_back(hours=said.hours_ago)
            await _try(self._say(scene, number, said))
        await _read(scene, self._id, len(script.messages), script.unread)

    async def _say(self, scene: Scene, number: int, said: Said) -> None:
        posted = await scene.chat.messages.post(
            _actor(said.by), self._id, _content(said), key=f"{KEY}-{number}"
        )
        seq = posted.message.seq
        others = [
            user_id for user_id in (self._script.owner, *self._script.members) if user_id != said.by
        ]
        await _try_all(
            scene.reactions.react(_actor(others[place % len(others)]), self._id, seq, Emoji(emoji))
            for emoji, count in said.reactions.items()
            for place in range(count)
        )


async def _read(scene: Scene, group_id: GroupId, head: int, unread: dict[str, int]) -> None:
    """Have each of these users leave so many messages unread; whoever is not named read nothing."""
    conversation_id = conversation_of(group_id)
    await _try_all(
        scene.conversations.read_cursors.mark_read(
            _actor(user_id), conversation_id, seq=head - left
        )
        for user_id, left in unread.items()
        if left < head
    )


async def _set_up_tabs(scene: Scene) -> None:
    """What ada arranged: a conversation group of her own, and a pinned conversation."""
    for user_id, name, places, pinned in TABS:
        actor = _actor(user_id)
        ids = [conversation_of(GroupId(place)) for place in places]
        await _try(scene.conversations.conversation_groups.put(actor, name, ids))
        pin = ConversationChanges(pinned=True)
        await _try(
            scene.conversations.settings.update_settings(
                actor, conversation_of(GroupId(pinned)), pin
            )
        )


def _actor(user_id: str) -> Actor:
    return Actor(UserId(user_id))


def _content(said: Said) -> Content:
    return Content(kind=Kind.TEXT, title=said.title, text=said.text, links=said.links)
