"""Measures that caches take no more memory than they say, whatever they are filled with."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, TypeVar

import pytest
from bson import decode, encode

from channels.models import Channel, ChannelProfile
from channels.routes.rendering import SubscribedRendering
from channels.routes.responses import post_response
from channels.server.tokens import TokenVerifier, mint
from channels.service.profiles import ProfileCache
from channels.store import ChannelStore
from conversations.models import (
    DEFAULT_SETTINGS,
    Conversation,
    ListedConversation,
    conversation_of,
)
from conversations.routes.rendering import ConversationRendering
from groups.kernel.byte_cache import ByteCache, cached_bytes, caches
from groups.kernel.clock import SystemClock
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.mongo.driver import AWARE_INSTANTS
from groups.kernel.undecoded import UndecodedMap, UndecodedRows
from groups.models import (
    AccessContext,
    Attachment,
    Content,
    EffectiveRole,
    Grant,
    Kind,
    LastMessage,
    Link,
    MediaKind,
    Member,
    Message,
    Role,
    Stream,
    Tallies,
    Tally,
)
from groups.routes.rendering import MessageRendering
from groups.service.messages.page_reader import PageReader
from groups.service.messages.service import MessagePage
from groups.store.groups import GroupStore
from groups.store.groups import _to_document as group_document
from groups.store.members import MemberStore
from groups.store.members import _to_document as member_document
from groups.store.messages import KeyedMessage, MessageStore
from groups.store.messages import _to_document as message_document
from groups.store.messages import _to_message as to_message
from groups.store.streams import StreamStore
from reactions.store import ReactionStore
from tests.api import SECRET
from tests.builders import mock_database
from tests.conftest import OpenApi
from tests.groups.test_rendering import GROUP

T = TypeVar("T")

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
MEASURED_BYTES: Final = 2**20
"""The bound of a cache that is filled entry by entry. Tracing an allocation takes as long as dozens without, and the
memory of an entry does not depend on the number of entries. The bounds in use have a test of their own."""
HONEST: Final = 1.5
"""The memory that a cache may take, over its own estimate; the measure includes what Python's allocator adds."""
ASTRAL: Final = "\N{GRINNING FACE}"  # has a text take four bytes for each of its characters
EMOJI: Final = [chr(0x1F400 + number) for number in range(50)]
FULL_BYTES: Final = 52 * 2**20
"""The limit of all caches of a process together: a small part of the 150 MB that a process may take."""


def taken(fill: Callable[[], object]) -> int:
    """The memory that is still in use after this, in bytes."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = fill()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        del kept


def made_with_caches(make: Callable[[], T]) -> "tuple[T, dict[str, ByteCache[Any, Any]]]":
    """The object that `make` returns, and its caches by name."""
    before = caches()
    made = make()
    return made, {cache.name: cache for cache in caches() if cache not in before}


def check(cache: "ByteCache[Any, Any]", put: Callable[[int], object], most: int = 50_000) -> None:
    """Fill the cache until it drops older entries; the memory that it then takes is within its estimate."""
    cache.max_bytes = MEASURED_BYTES
    put(0)  # objects that are made once do not count
    cache.clear()
    numbers = count(1)
    # Fills lists of freed objects and the like, which stay with the process.
    for _ in range(50):
        put(next(numbers))
    cache.clear()

    def fill() -> None:
        for entries, number in enumerate(numbers, 1):
            put(number)
            if len(cache) < entries or entries > most:
                break
        for number in range(len(cache) // 2):
            put(number + 1_000_000)

    took = taken(fill)
    assert cache.size_bytes > cache.max_bytes / 2, "it was filled"
    assert cache.size_bytes <= cache.max_bytes
    assert took < HONEST * cache.max_bytes, f"{took} of {cache.max_bytes}"


# --- caches of stores -------------------------------------------------------------------------------------------------

CONTENTS: Final[dict[str, dict[str, Any]]] = {
    "one letter": {"text": "x"},
    "a long text": {"text": "x" * 12_000},
    "a long text with one wide character": {"text": "x" * 12_000 + ASTRAL},
    "the application's own": {"kind": Kind.CUSTOM, "custom_json": '{"a":"' + ASTRAL * 2_900 + '"}'},
    "links": {
        "text": "x",
        "links": [Link(title=f"{n}", url=f"https://a.b/{n}") for n in range(20)],
    },
    "pictures": {
        "kind": Kind.IMAGE,
        "media": [
            Attachment(
                media_id=f"medium{n}",
                kind=MediaKind.IMAGE,
                content_type="image/png",
                size_bytes=123_456,
                width=1_000,
                height=1_000,
                duration_seconds=61.234,
                name=f"{n}{ASTRAL}.png",
            )
            for n in range(10)
        ],
    },
}


def a_message(number: int, stream_id: str = "group_@TOA#_news", **content: Any) -> Message:
    return Message(
        stream_id=GroupId(stream_id),  # type: ignore[arg-type]
        seq=number + 1,
        sender_id=UserId(f"user-{number}"),
        content=Content(**{"kind": Kind.TEXT, **content}),
        created_at=NOW,
        signature="Ada Lovelace",
    )


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_messages(content: dict[str, Any]) -> None:
    store, made = made_with_caches(lambda: MessageStore(mock_database()))
    query = store.query_newest(StreamId("group_tea"), below=None, limit=1)

    def put(number: int) -> None:
        document = message_document(KeyedMessage(a_message(number, **content), "key", "digest"))
        query.take_raw([encode(document)])
        list(query.result)  # decodes it

    check(made["messages"], put)


@pytest.mark.parametrize("length", [1, 40])
def test_heads(length: int) -> None:
    store = MessageStore(mock_database())
    nothing: Any = None
    reader, made = made_with_caches(
        lambda: PageReader(
            database=nothing,
            groups=nothing,
            members=nothing,
            messages=store,
            streams=nothing,
            hooks=nothing,
        )
    )

    def put(number: int) -> None:
        reader._see(
            StreamId(f"group_{number:0{length}}"),
            1_000 + number,
            store.rows_of({}, StreamId(""), ()),
        )

    check(made["heads"], put)


@pytest.mark.parametrize("is_full", [False, True])
def test_members(is_full: bool) -> None:
    store, made = made_with_caches(lambda: MemberStore(mock_database()))
    query = store.query_cached_members(GroupId("g"), [])

    def put(number: int) -> None:
        plain = Member(GroupId("g"), UserId(f"{number}"), Role.MEMBER, NOW, 1_000, None, "")
        full = Member(
            GroupId("@TOA#_" + "g" * 42),
            UserId(f"{number:032}"),
            Role.ADMIN,
            NOW,
            1_000_000,
            NOW + timedelta(seconds=number),
            ASTRAL * 12,
            frozenset(Grant),
        )
        query.take_raw([encode(member_document(full if is_full else plain))])

    check(made["members"], put)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"custom": {f"k{n}": ASTRAL * 128 for n in range(10)}, "introduction": ASTRAL * 100},
        {"reactions": tuple(chr(0x1F400 + n) for n in range(100))},
    ],
    ids=["small", "texts", "reactions"],
)
def test_groups(values: dict[str, Any]) -> None:
    store, made = made_with_caches(lambda: GroupStore(mock_database()))
    query = store.query_group(GroupId("g"))

    def put(number: int) -> None:
        group = GROUP.model_copy(update={"group_id": GroupId(f"@TOA#_{number}"), **values})
        query.take_raw([encode(group_document(group))])

    check(made["groups"], put)


@pytest.mark.parametrize("preview", ["x", "x" * 100, ASTRAL * 100])
def test_streams(preview: str) -> None:
    store, made = made_with_caches(lambda: StreamStore(mock_database()))
    query = store.query_streams([])

    def put(number: int) -> None:
        last = {"seq": number, "sender_id": f"{number:032}", "preview": preview, "at": NOW}
        stream = {"_id": f"group_@TOA#_{number}", "head_seq": number, "is_channel": True}
        more = {"version": 1_000 + number, "changed_at": NOW + timedelta(seconds=number)}
        query.take_raw([encode({**stream, **more, "last": {**last, "kind": "text"}})])
        assert query.result[StreamId(f"group_@TOA#_{number}")].head.head_seq == number  # keeps it

    check(made["streams"], put)


@pytest.mark.parametrize("emoji", [1, 50])
def test_tallies(emoji: int) -> None:
    store, made = made_with_caches(lambda: ReactionStore(mock_database()))
    query = store.query([], []).of_tallies

    def put(number: int) -> None:
        counts = dict.fromkeys(EMOJI[:emoji], 1000 + number)
        key = f"group_@TOA#_news{SEPARATOR}{number}"
        query.take_raw([encode({"_id": key, "counts": counts, "total": number, "version": 1})])
        assert query.result[number].total == number  # decodes it

    check(made["tallies"], put)


def test_reactions() -> None:
    store, made = made_with_caches(lambda: ReactionStore(mock_database()))
    query = store.query([], []).of_held

    def put(number: int) -> None:
        key = f"group_@TOA#_news{SEPARATOR}{number}"
        query.take_raw(
            [encode({"message_id": key, "user_id": f"user-{number}", "emoji": EMOJI[0]})]
        )

    check(made["reactions"], put)


# --- what is rendered -----------------------------------------------------------------------------------------------

PAGES: Final[dict[str, tuple[int, dict[str, Any]]]] = {
    "twenty short ones": (20, {"text": "Hello"}),
    "a hundred short ones": (100, {"text": "Hello"}),
    "twenty long ones": (20, {"text": "x" * 3_000}),
    "a long one that JSON writes six times as long": (1, {"text": "\x01" * 12_000}),
    "a hundred of those": (100, {"text": "\x01" * 12_000}),
    "twenty with links": (20, CONTENTS["links"]),
}


def undecoded(messages: Sequence[Message]) -> UndecodedRows[Message]:
    """The messages as a store finds them."""
    rows = [encode(message_document(KeyedMessage(each, "k" * 32, "d" * 64))) for each in messages]
    return UndecodedRows([each.seq for each in messages], rows, _to_message)


def undecoded_tallies(tallies: Mapping[int, Tally]) -> UndecodedMap[int, Tally]:
    """The tallies as a store finds them."""
    rows = {seq: encode({"counts": each.counts}) for seq, each in tallies.items()}
    return UndecodedMap(rows, _to_tally)


def _to_message(row: bytes) -> Message:
    return to_message(decode(row, AWARE_INSTANTS))


def _to_tally(row: bytes) -> Tally:
    counts = decode(row)["counts"]
    return Tally(counts, sum(counts.values()))


@pytest.mark.parametrize("is_decoded", [True, False])
@pytest.mark.parametrize(("number", "content"), PAGES.values(), ids=PAGES)
def test_rendered_pages(number: int, content: dict[str, Any], is_decoded: bool) -> None:
    rendering, made = made_with_caches(
        lambda: MessageRendering(
            lambda message, access, tally, _: post_response(message, access, tally, NOW)
        )
    )
    streams = count()

    def read(times: int) -> None:
        for stream in (next(streams) for _ in range(times)):
            group = GROUP.model_copy(update={"group_id": GroupId(f"@TOA#_{stream}")})
            messages: Sequence[Message]
            tallies: Mapping[int, Tally]
            messages = [a_message(seq, group.stream_id, **content) for seq in range(number)]
            tallies = {
                seq: Tally(dict.fromkeys(EMOJI[:3], seq), seq) for seq in range(1, number + 1)
            }
            if not is_decoded:
                messages, tallies = undecoded(messages), undecoded_tallies(tallies)
            for effective_role in (EffectiveRole.MEMBER, EffectiveRole.ADMIN):
                page = MessagePage(
                    messages=messages,
                    next_cursor=None,
                    is_cut=False,
                    access=AccessContext(group, None, effective_role),
                    tallies=Tallies(tallies),
                )
                rendering.page(page, now=NOW)

    read(2)
    for cache in made.values():
        cache.clear()
    took = taken(lambda: read(16 if number == 100 else 60))
    bound = sum(cache.max_bytes for cache in made.values())
    assert all(cache.size_bytes <= cache.max_bytes for cache in made.values())
    assert took < HONEST * bound, f"{took} of {bound}"


@pytest.mark.parametrize("text", ["x", "x" * 100, ASTRAL * 100, "\x01" * 100])
def test_rendered_conversations(text: str) -> None:
    rendering, made = made_with_caches(ConversationRendering)

    def put(number: int) -> None:
        group_id = GroupId(f"@TOA#_{number}")
        conversation = Conversation(
            conversation_of(group_id), group_id, True, 1_000 + number, 0, 0, DEFAULT_SETTINGS
        )
        last = LastMessage(number, UserId(f"{number:032}"), text + " ", NOW, Kind.TEXT)
        title, face_url = f"{number}{text}", f"https://a.b/{number}.png"
        listed = ListedConversation(conversation, title, face_url, last, True, number, False, None)
        rendering.page([listed], None)

    check(made["rendered conversations"], put)


@pytest.mark.parametrize("text", ["x", "x" * 100, ASTRAL * 100, "\x01" * 100])
def test_rendered_channels(text: str) -> None:
    rendering, made = made_with_caches(SubscribedRendering)

    def put(number: int) -> None:
        group_id = GroupId(f"@TOA#_{number}")
        group = GROUP.model_copy(
            update={"group_id": group_id, "name": f"{number}{text}", "introduction": text + " "}
        )
        profile = ChannelProfile(channel_id=group_id, organization=text + ".", created_at=NOW)
        last = LastMessage(number, UserId(f"{number:032}"), text + "!", NOW, Kind.TEXT)
        stream = Stream(group.stream_id, 1_000 + number, True, last)
        member = Member(group_id, UserId("ada"), Role.MEMBER, NOW, 0)
        access = AccessContext(group, member, EffectiveRole.MEMBER)
        rendering.channel(Channel(access, stream, profile))

    check(made["rendered channels"], put)


# --- the others -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 32])
def test_tokens(length: int) -> None:
    verifier, made = made_with_caches(lambda: TokenVerifier(SECRET))

    def put(number: int) -> None:
        user_id = f"{number:0{length}}"
        verifier.verify(mint(SECRET, user_id, admin=False, hours=1, now=SystemClock().now()))

    check(made["tokens"], put)


@pytest.mark.parametrize("text", ["", "x" * 3_000, ASTRAL * 125])
def test_profiles(text: str) -> None:
    store, made = made_with_caches(lambda: ChannelStore(mock_database()))
    query = store.query_profiles([])

    def put(number: int) -> None:
        profile = ChannelProfile(
            channel_id=GroupId(f"@TOA#_{number}"), custom_data=text, created_at=NOW
        )
        document = profile.model_dump(mode="python")
        query.take_raw([encode({"_id": document.pop("channel_id"), **document})])

    check(made["channels"], put)


class _Channels:
    """A store with a channel of every id."""

    def __init__(self, **values: Any) -> None:
        self._values = values

    async def find_profiles(self, channel_ids: Iterator[GroupId]) -> dict[GroupId, ChannelProfile]:
        return {
            channel_id: ChannelProfile(channel_id=channel_id, created_at=NOW, **self._values)
            for channel_id in channel_ids
        }


@pytest.mark.parametrize(
    "values", [{}, {"organization": ASTRAL * 125, "custom_data": "x" * 2_996 + ASTRAL}]
)
def test_channels(values: dict[str, Any]) -> None:
    cache, made = made_with_caches(lambda: ProfileCache(_Channels(**values)))  # type: ignore[arg-type]

    def put(number: int) -> None:
        # It waits for nothing.
        with pytest.raises(StopIteration):
            cache.get(GroupId(f"@TOA#_{number}")).send(None)

    check(made["channels"], put)


async def test_the_size_of_every_cache_is_a_metric_and_small(api: OpenApi) -> None:
    server = await api()
    gc.collect()
    user = server.new_user()
    assert (await user.get("/v1/channels?limit=7")).status == 200
    told = (await user.get("/metrics")).text
    for name in cached_bytes():
        assert f'channels_cache_bytes{{cache="{name}"}}' in told
    bounds = {cache.name: cache.max_bytes for cache in caches()}
    twice = {"rendered pages"}  # of posts, and of messages in chats
    total = sum(size * (1 + (name in twice)) for name, size in bounds.items() if name != "test")
    assert {"messages", "members", "groups", "tallies", "reactions", "tokens", "queries"} <= set(
        bounds
    )
    assert total <= FULL_BYTES
