"""Writes the scene (`channels.demo.script`) through the services.

Each channel and chat is written in order, with a clock of its own that is set to the time of each step. Channels and
chats are written concurrently. All ids and idempotency keys are fixed, so a second process repeats the same steps
without effect.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from channels.analytics.wiring import Analytics
from channels.buttons.wiring import Buttons
from channels.comments.models import PostPlace
from channels.comments.wiring import Comments
from channels.demo import pictures
from channels.demo.script.channels import CHANNELS
from channels.demo.script.chats import CHATS, FOLDERS
from channels.demo.script.models import ChannelScript, ChatScript, FolderScript, GroupScript, Item
from channels.demo.script.people import PEOPLE
from channels.demo.store import is_empty
from channels.errors import ChannelIdTaken
from channels.models import ChannelChanges, NewChannel
from channels.self_service.forms.service import FormService
from channels.self_service.menus.service import MenuService
from channels.wiring import Channels
from conversations.models import Dialogue, conversation_of
from conversations.service.settings import ConversationChanges
from conversations.wiring import Conversations
from groups.errors import GroupIdTaken
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import (
    InvalidInput,
    LimitReached,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unavailable,
)
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database
from groups.kernel.text.emoji import Emoji
from groups.models import (
    Attachment,
    Commenting,
    Content,
    GroupType,
    JoinOption,
    Kind,
    Link,
    MediaKind,
    Poll,
    Role,
    Visibility,
)
from groups.service.lifecycle.create import NewGroup
from groups.wiring import GroupChat
from reactions.polls.service.polls import PollService
from reactions.service.reactions import ReactionService

GUESTS: Final = {"ada": "/", "bob": "/console/channels/%40TOA%23_fc-harbour/posts"}
"""The people as whom visitors of the demo look around, and where they begin."""
VIEWED: Final = ((0.2, 0.35), (1.0, 0.4), (5.0, 0.3), (16.0, 0.25), (30.0, 0.15), (55.0, 0.1))
"""Hours after a post, and the share of the members who look at the channel then."""
UPLOAD_TRIES: Final = 50
UPLOAD_PAUSE_SECONDS: Final = 0.2
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
    def polls(self) -> PollService: ...
    @property
    def channels(self) -> Channels: ...
    @property
    def comments(self) -> Comments: ...
    @property
    def analytics(self) -> Analytics: ...
    @property
    def buttons(self) -> Buttons: ...
    @property
    def menus(self) -> MenuService: ...
    @property
    def forms(self) -> FormService: ...

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
            services.chat.users.update(actor_of(user_id), {"name": name})
            for user_id, name in PEOPLE.items()
        )
    )
    await asyncio.gather(*(_write(now, compose, script) for script in (*CHANNELS, *CHATS)))
    for folder in FOLDERS:
        await _create_folder(services, folder)
    return True


async def attempt(step: Awaitable[object]) -> None:
    """Wait for a step, and go on if the deployment's limits refuse it: a scene may be incomplete."""
    with suppress(LimitReached, PermissionDenied, NotFound, InvalidInput, RateLimited):
        await step


async def _try_all(steps: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*(attempt(step) for step in steps))


async def _write(now: datetime, compose: Compose, script: GroupScript) -> None:
    """Writes the channel or chat from its creation to the present."""
    clock = SetClock(now)
    scene = compose(clock)
    try:
        clock.set_to(hours_ago=script.created_hours_ago)
        # If another process, or one that crashed, has created it: continue with what is there.
        with suppress(ChannelIdTaken, GroupIdTaken):
            await attempt(_create(scene, script))
        await _add_members(scene, script)
        channel = script if isinstance(script, ChannelScript) else None
        if channel and channel.picture:
            await attempt(_give_face(scene, channel))
        if channel:
            await _offer(scene, channel)
        for number, item in enumerate(script.items, start=1):
            clock.set_to(hours_ago=item.hours_ago)
            await attempt(_post(scene, script, number, item))
            if channel:
                await _press(scene, channel, number, item)
                await _comment(scene, channel, number, clock)
                await _view(scene, channel, number, clock)
        if channel:
            await _write_threads(scene, channel, clock)
        conversation_id, head = conversation_of(GroupId(script.group_id)), len(script.items)
        await _try_all(
            scene.conversations.read_cursors.mark_read(
                actor_of(user_id), conversation_id, seq=head - left
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
            comments=Commenting.SUBSCRIBERS if script.has_comments else Commenting.OFF,
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
        await scene.chat.creation.create(actor_of(script.owner), group)


async def _add_members(scene: Scene, script: GroupScript) -> None:
    membership, group_id, owner = scene.chat.membership, GroupId(script.group_id), script.owner
    channel = script if isinstance(script, ChannelScript) else None
    # Others would have to accept an invitation.
    app = Actor(UserId(script.owner), is_app_admin=True)
    await _try_all(
        membership.join(actor_of(user_id), group_id)
        if channel and not channel.is_private
        else membership.add(app, group_id, UserId(user_id))
        for user_id in script.members
    )
    await _try_all(
        membership.change(actor_of(owner), group_id, UserId(user_id), role=Role.ADMIN)
        for user_id in (channel.admins if channel else ())
    )


async def _offer(scene: Scene, script: ChannelScript) -> None:
    """Stores what the channel offers by itself: its forms, and the menu, which may open them."""
    owner, channel_id = actor_of(script.owner), GroupId(script.group_id)
    for name, form in script.forms.items():
        await attempt(scene.forms.put(owner, channel_id, name, form))
    if script.menu:
        await attempt(scene.menus.put(owner, channel_id, script.menu))


async def _post(scene: Scene, script: GroupScript, number: int, item: Item) -> None:
    author, group_id = item.by or script.owner, GroupId(script.group_id)
    links = tuple(Link(title=title, url=url) for title, url in item.links.items())
    content = Content(kind=Kind.TEXT, title=item.title, text=item.text, links=links)
    if item.picture:
        media_id = await _upload(scene, author, pictures.poster, item.picture)
        one = Attachment(media_id=media_id, kind=MediaKind.IMAGE)
        content = content.model_copy(update={"kind": Kind.TEXT_AND_IMAGE, "media": (one,)})
    elif item.has_video:
        media_id = await _upload(scene, author, pictures.video, "harbour")
        one = Attachment(media_id=media_id, kind=MediaKind.VIDEO)
        content = content.model_copy(update={"kind": Kind.VIDEO, "media": (one,)})
    elif item.poll:
        poll = Poll(question=item.poll.question, options=tuple(item.poll.votes))
        content = content.model_copy(update={"kind": Kind.POLL, "poll": poll})
    if item.buttons:
        rows = tuple(tuple(one.button for one in row) for row in item.buttons)
        content = content.model_copy(update={"buttons": rows})
    key = f"{KEY}-{number}"
    posted = await scene.chat.messages.post(actor_of(author), group_id, content, key=key)
    # A user gives one emoji, so each reaction comes from the next user. Each item starts with another one.
    others = [user_id for user_id in (script.owner, *script.members) if user_id != author]
    emojis = [Emoji(emoji) for emoji, count in item.reactions.items() for _ in range(count)]
    await _try_all(
        scene.reactions.react(
            actor_of(others[(number * 7 + place) % len(others)]),
            group_id,
            posted.message.seq,
            emoji,
        )
        for place, emoji in enumerate(emojis)
    )
    if item.poll:
        chosen = [option for option, n in enumerate(item.poll.votes.values()) for _ in range(n)]
        await _try_all(
            scene.polls.vote(actor_of(user_id), group_id, posted.message.seq, {option})
            for user_id, option in zip(others, chosen, strict=False)
        )


async def _press(scene: Scene, script: ChannelScript, seq: int, item: Item) -> None:
    """Others press the buttons, each person one of them."""
    members = iter(script.members)
    for index, one in enumerate(button for row in item.buttons for button in row):
        pressing = [next(members) for _ in range(one.presses)]
        await _try_all(
            scene.buttons.posts.press(actor_of(user_id), GroupId(script.group_id), seq, index)
            for user_id in pressing
        )


async def _comment(scene: Scene, script: ChannelScript, seq: int, clock: SetClock) -> None:
    place = PostPlace(GroupId(script.group_id), seq)
    for number, remark in enumerate(script.items[seq - 1].comments):
        clock.set_to(hours_ago=remark.hours_ago)
        writing = scene.comments.comments.post(
            actor_of(remark.by or script.owner),
            place,
            Content(kind=Kind.TEXT, text=remark.text),
            key=f"{KEY}-{number}",
            quoted_seq=remark.quoted,
            as_channel=not remark.by,
        )
        await attempt(writing)


async def _upload(scene: Scene, user_id: str, made: Callable[[str], bytes], name: str) -> str:
    """Uploads what `made` makes of the name. Returns the id of the upload, at a repetition that of the first."""
    data = await asyncio.to_thread(made, name)

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    for _ in range(UPLOAD_TRIES):
        # Another process that starts at the same time may upload the same; then there is one soon.
        with suppress(Unavailable):
            media = await scene.chat.media.upload(
                actor_of(user_id),
                chunks(),
                length=len(data),
                name=name,
                key=f"{KEY}-{made.__name__}-{name}",
            )
            return media.media_id
        await asyncio.sleep(UPLOAD_PAUSE_SECONDS)
    raise Unavailable


async def _give_face(scene: Scene, script: ChannelScript) -> None:
    media_id = await _upload(scene, script.owner, pictures.face, script.picture)
    changes = ChannelChanges(face_url=f"/v1/media/{media_id}?size=thumb")
    await scene.channels.channels.update(actor_of(script.owner), GroupId(script.group_id), changes)


async def _view(scene: Scene, script: ChannelScript, number: int, clock: SetClock) -> None:
    """Members see the newest post: half of them soon, others later, until the next post."""
    item = script.items[number - 1]
    until = script.items[number].hours_ago if number < len(script.items) else 0.0
    chance = random.Random(f"{script.group_id} {number}")
    for later, share in VIEWED:
        if item.hours_ago - later <= until:
            return
        clock.set_to(hours_ago=item.hours_ago - later)
        viewers = [user_id for user_id in script.members if chance.random() < share]
        seqs = [*range(max(1, number - 2), number + 1)]
        await _try_all(
            scene.analytics.views.report(actor_of(user_id), GroupId(script.group_id), seqs)
            for user_id in viewers
        )


async def _write_threads(scene: Scene, script: ChannelScript, clock: SetClock) -> None:
    for thread in script.threads:
        dialogue = Dialogue(UserId(thread.user_id), script.group_id)
        for number, line in enumerate(thread.lines):
            clock.set_to(hours_ago=line.hours_ago)
            content = Content(kind=Kind.TEXT, text=line.text)
            writing = scene.conversations.dialogues.post(
                actor_of(line.by or thread.user_id),
                dialogue,
                content,
                key=f"{KEY}-{number}",
                for_channel=bool(line.by),
            )
            await attempt(writing)


async def _create_folder(scene: Scene, script: FolderScript) -> None:
    actor = actor_of(script.user_id)
    ids = [conversation_of(GroupId(group_id)) for group_id in script.group_ids]
    await attempt(scene.conversations.conversation_groups.put(actor, script.name, ids))
    pin = ConversationChanges(pinned=True)
    pinned = conversation_of(GroupId(script.pinned))
    await attempt(scene.conversations.settings.update_settings(actor, pinned, pin))


def actor_of(user_id: str) -> Actor:
    """A person of the scene as a caller."""
    return Actor(UserId(user_id))
