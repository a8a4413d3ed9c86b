"""A page that many read at once is rendered once, and shows each reader what they would see alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.routes.responses import PostResponse, post_response, post_without_poll
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    AccessContext,
    Content,
    EffectiveRole,
    Group,
    GroupType,
    JoinOption,
    Kind,
    Message,
    Poll,
    PollResults,
    Posting,
    Tallies,
    Tally,
    Visibility,
)
from groups.routes.rendering import MessageRendering
from groups.service.messages.service import MessagePage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = Group(
    group_id=GroupId("@TOA#_news"),
    type=GroupType.COMMUNITY,
    name="News",
    owner_id=UserId("ada"),
    custom={"official_account": "1"},
    posting=Posting.OWNER_AND_ADMINS,
    join_option=JoinOption.FREE,
    visibility=Visibility.PUBLIC,
    history_visible=True,
    reactions_per_user=1,
    distinct_reactions=50,
    member_count=2,
    created_at=NOW,
    created_by=UserId("ada"),
)
READER = AccessContext(GROUP, None, EffectiveRole.MEMBER)
ADMIN = AccessContext(GROUP, None, EffectiveRole.ADMIN)
MESSAGES = [
    Message(
        stream_id=GROUP.stream_id,
        seq=seq,
        sender_id=UserId("ada"),
        content=Content(kind=Kind.TEXT, text=f"Post {seq}") if seq != 2 else None,
        created_at=NOW,
        recalled_at=NOW if seq == 2 else None,
    )
    for seq in (3, 2, 1)
]
SHARED = {
    3: Tally({"👍": 2, "🔥": 1}, 3),
    2: Tally({"👍": 1}, 1),
    1: Tally({"👍": 1}, 1),
}


@pytest.fixture
def rendering() -> MessageRendering:
    return MessageRendering(
        lambda message, access, tally, _: post_response(message, access, tally, NOW)
    )


def expected(messages: list[Message], access: AccessContext, tallies: Tallies) -> object:
    items = [
        post_response(message, access, tallies.get(message.seq, Tally()), NOW).model_dump(
            mode="json"
        )
        for message in messages
    ]
    place = {"newer_cursor": None, "first_unread_seq": None, "version": None}
    return {"items": items, "next_cursor": "more"} | place


def page_of(
    messages: list[Message], tallies: Tallies, access: AccessContext = READER
) -> MessagePage:
    return MessagePage(
        messages=messages, next_cursor="more", is_cut=False, access=access, tallies=tallies
    )


def rendered(
    rendering: MessageRendering, messages: list[Message], access: AccessContext, tallies: Tallies
) -> object:
    return json.loads(rendering.page(page_of(messages, tallies, access), now=NOW))


def test_each_reader_sees_only_their_own_reactions(rendering: MessageRendering) -> None:
    none, newest, oldest, both = (
        Tallies(SHARED),
        Tallies(SHARED, {3: ("👍",)}),
        Tallies(SHARED, {1: ("👍",)}),
        Tallies(SHARED, {3: ("🔥",), 2: ("👍",)}),
    )
    # In any order: what one reader was shown must not stick to the next one.
    for tallies in (none, newest, oldest, none, both, oldest, newest):
        assert rendered(rendering, MESSAGES, READER, tallies) == expected(MESSAGES, READER, tallies)


def test_readers_do_not_see_the_author_after_an_admin_read(
    rendering: MessageRendering,
) -> None:
    tallies = Tallies(SHARED)
    for access in (ADMIN, READER, ADMIN, READER):
        shown = rendered(rendering, MESSAGES, access, tallies)
        assert shown == expected(MESSAGES, access, tallies)


def edited(place: int) -> list[Message]:
    new = Content(kind=Kind.TEXT, text="Better")
    return [
        message.model_copy(update={"content": new}) if number == place else message
        for number, message in enumerate(MESSAGES)
    ]


@pytest.mark.parametrize(
    ("messages", "access", "shared"),
    [
        (MESSAGES, READER, {**SHARED, 1: Tally({"🎉": 1}, 1)}),
        (MESSAGES, replace(READER, group=GROUP.model_copy(update={"name": "Newer"})), SHARED),
        (edited(0), READER, SHARED),
        (edited(2), READER, SHARED),
        (MESSAGES[:2], READER, SHARED),
        (MESSAGES[1:], READER, SHARED),
        ([], READER, SHARED),
    ],
    ids=["counts", "name", "newest", "oldest", "shorter", "older", "empty"],
)
def test_a_changed_page_is_rendered_again(
    rendering: MessageRendering,
    messages: list[Message],
    access: AccessContext,
    shared: dict[int, Tally],
) -> None:
    before, after = Tallies(SHARED), Tallies(shared)
    # There and back: the page before is not taken for the one after, nor the other way round.
    for page, reader, tallies in (
        (MESSAGES, READER, before),
        (messages, access, after),
        (MESSAGES, READER, before),
    ):
        assert rendered(rendering, page, reader, tallies) == expected(page, reader, tallies)


def test_readers_of_one_page_share_its_bytes() -> None:
    views = 0

    def counting(message: Message, access: AccessContext, tally: Tally) -> PostResponse:
        nonlocal views
        views += 1
        return post_response(message, access, tally, NOW)

    rendering = MessageRendering(lambda message, access, tally, _: counting(message, access, tally))
    for own in ({}, {3: ("👍",)}, {}, {3: ("🔥",)}):
        rendering.page(page_of(MESSAGES, Tallies(SHARED, own)), now=NOW)
    assert views == len(MESSAGES)


def test_equal_messages_read_anew_share_the_rendered_page() -> None:
    rendered: list[int] = []

    def counting(message: Message, access: AccessContext, tally: Tally) -> PostResponse:
        rendered.append(message.seq)
        return post_response(message, access, tally, NOW)

    rendering = MessageRendering(lambda message, access, tally, _: counting(message, access, tally))
    first = rendering.page(page_of(MESSAGES, Tallies(SHARED)), now=NOW)
    copies = [message.model_copy(deep=True) for message in MESSAGES]
    tallies = {seq: Tally(dict(tally.counts), tally.total) for seq, tally in SHARED.items()}
    assert rendering.page(page_of(copies, Tallies(tallies)), now=NOW) == first
    assert rendered == [3, 2, 1]


def a_poll_message(results: PollResults, closes_at: datetime | None = None) -> Message:
    poll = Poll(question="Tea?", options=("Yes", "No"), results=results, closes_at=closes_at)
    return MESSAGES[0].model_copy(
        update={"content": Content(kind=Kind.POLL, poll=poll, title="Vote")}
    )


@pytest.mark.parametrize("results", PollResults)
def test_each_reader_sees_a_poll_as_they_may_and_a_page_is_rendered_once(
    results: PollResults,
) -> None:
    rendered: list[int] = []

    def counting(message: Message, access: AccessContext, tally: Tally) -> PostResponse:
        rendered.append(message.seq)
        return post_without_poll(message, access, tally)

    rendering = MessageRendering(lambda message, access, tally, _: counting(message, access, tally))
    end = NOW + timedelta(hours=1)
    messages = [a_poll_message(results, end), *MESSAGES[1:]]
    shared = {**SHARED, 3: Tally({"👍": 2}, 2, votes={1: 4}, voters=4)}
    readers = (
        Tallies(shared),
        Tallies(shared, {}, {3: (1,)}),
        Tallies(shared, {3: ("👍",)}, {3: (1,)}),
        Tallies(shared, {1: ("👍",)}),
    )
    # In any order, and also when the poll has closed meanwhile, which renders nothing anew.
    for now in (NOW, end, NOW):
        for tallies in readers * 2:
            shown = json.loads(rendering.page(page_of(messages, tallies), now=now))
            assert shown["items"] == [
                post_response(message, READER, tallies.get(message.seq, Tally()), now).model_dump(
                    mode="json"
                )
                for message in messages
            ]
    assert rendered == [3, 2, 1]
    # A vote renders its message alone.
    voted = Tallies({**shared, 3: Tally({"👍": 2}, 2, votes={1: 5}, voters=5)})
    assert b'"voters":4' not in rendering.page(page_of(messages, voted), now=end)
    assert rendered == [3, 2, 1, 3]
