"""Polls over HTTP and the socket: writing, voting, what each reader sees, closing, edits, forwards, drafts."""

from datetime import timedelta
from typing import Any, Final

import pytest

from groups.kernel.clock import rfc3339
from tests.api import (
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    conversation_of,
    group_path,
    id_of,
    part,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLL: Final[dict[str, Any]] = {
    "question": "Tea or coffee?",
    "options": ["Tea", "Coffee", "Neither"],
}


def a_poll(**changes: Any) -> dict[str, Any]:
    return {"kind": "poll", "poll": {**POLL, **changes}}


def calls_of(path: str) -> str:
    """The path of the channel's posts, or of the group's messages."""
    return f"{path}/{'posts' if path.startswith('/v1/channels/') else 'messages'}"


async def ask(writer: User, path: str, **changes: Any) -> str:
    """Post a poll; returns the path of its message."""
    answer = await writer.post(calls_of(path), a_poll(**changes))
    assert answer.status == 201, answer
    return f"{calls_of(path)}/{answer.body['seq']}"


async def vote(user: User, message: str, *options: int) -> dict[str, Any]:
    """Vote for these options; returns the poll that is answered."""
    answer = await user.put(f"{message}/vote", {"options": options})
    assert answer.status == 200, answer
    poll: dict[str, Any] = answer.body
    return poll


async def read(user: User, message: str) -> dict[str, Any]:
    """The poll as the user reads it: alone, and the same on a page."""
    alone = (await user.get(message)).body["poll"]
    calls, _, seq = message.rpartition("/")
    [page] = (await user.get(f"{calls}?before_seq={int(seq) + 1}&limit=1")).items
    assert page["poll"] == alone
    poll: dict[str, Any] = alone
    return poll


def counts(poll: dict[str, Any]) -> list[int | None]:
    return [option["votes"] for option in poll["options"]]


HIDDEN: Final = [None, None, None]


def later(api: Api, seconds: float) -> str:
    return rfc3339(api.clock.now() + timedelta(seconds=seconds))


@pytest.mark.parametrize("make", [a_channel, a_chat_group])
async def test_votes_are_counted_once_and_replaced_and_taken_back(
    shared_api: Api, make: Any
) -> None:
    ada, bob, cy = (shared_api.new_user() for _ in range(3))
    path = await make(ada, bob, cy)
    posted = (await ada.post(calls_of(path), a_poll())).body
    assert posted["poll"] == {
        "question": POLL["question"],
        "options": [{"text": text, "votes": 0} for text in POLL["options"]],
        "voters": 0,
        "multiple": False,
        "closes_at": None,
        "closed": False,
        "results": "always",
        "mine": [],
    }
    message = f"{calls_of(path)}/{posted['seq']}"
    for _ in range(2):  # the second one changes nothing
        voted = await vote(bob, message, 1)
        assert (counts(voted), voted["voters"], voted["mine"]) == ([0, 1, 0], 1, [1])
    await vote(cy, message, 1)
    voted = await vote(bob, message, 0)
    assert (counts(voted), voted["voters"], voted["mine"]) == ([1, 1, 0], 2, [0])
    for _ in range(2):
        back = (await cy.delete(f"{message}/vote")).body
        assert (counts(back), back["voters"], back["mine"]) == ([1, 0, 0], 1, [])
    # Reactions to a poll and its votes do not count as each other.
    assert (await bob.put(f"{message}/reactions/{part('👍')}")).body["total"] == 1
    for reader, mine in ((bob, [0]), (cy, []), (ada, [])):
        shown = await read(reader, message)
        assert (counts(shown), shown["voters"], shown["mine"]) == ([1, 0, 0], 1, mine)
        assert (await reader.get(message)).body["reactions"]["counts"] == {"👍": 1}
    assert (await bob.delete(f"{message}/vote")).status == 200
    reacted = (await bob.get(message)).body["reactions"]
    assert reacted == {"counts": {"👍": 1}, "total": 1, "mine": ["👍"]}
    # Deleted, it shows neither its question nor its votes, and takes none.
    await vote(bob, message, 2)
    assert (await ada.delete(message)).status == 204
    assert (await bob.get(message)).body["poll"] is None
    for refused in (
        await bob.put(f"{message}/vote", {"options": [0]}),
        await bob.delete(f"{message}/vote"),
    ):
        assert refused.refusal == (409, "message_recalled")


async def test_a_voter_of_several_options_is_one_voter(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    message = await ask(ada, channel, multiple=True)
    await vote(ada, message, 2)
    voted = await vote(bob, message, 2, 0, 2)
    assert (counts(voted), voted["voters"], voted["mine"]) == ([1, 0, 2], 2, [0, 2])
    voted = await vote(bob, message, 1, 2)
    assert (counts(voted), voted["voters"], voted["mine"]) == ([0, 1, 2], 2, [1, 2])


@pytest.mark.parametrize("make", [a_channel, a_chat_group])
async def test_results_are_hidden_until_they_may_be_seen(shared_api: Api, make: Any) -> None:
    ada, bob, cy = (shared_api.new_user() for _ in range(3))
    path = await make(ada, bob, cy)
    after_vote = await ask(ada, path, results="after_vote")
    closes_at = later(shared_api, 60)
    after_close = await ask(ada, path, results="after_close", closes_at=closes_at)
    assert counts(await vote(bob, after_vote, 1)) == [0, 1, 0]
    hidden = await vote(bob, after_close, 1)
    assert (counts(hidden), hidden["voters"], hidden["mine"]) == (HIDDEN, None, [1])
    # In a channel its staff sees the counts; in a group they vote like everybody.
    for_staff = [0, 1, 0] if make is a_channel else HIDDEN
    for reader, voted_in, closing in ((bob, [0, 1, 0], HIDDEN), (cy, HIDDEN, HIDDEN)):
        assert counts(await read(reader, after_vote)) == voted_in
        assert counts(await read(reader, after_close)) == closing
    assert counts(await read(ada, after_vote)) == for_staff
    assert counts(await read(ada, after_close)) == for_staff
    await bob.delete(f"{after_vote}/vote")
    assert counts(await read(bob, after_vote)) == HIDDEN
    found = (
        await cy.get(f"/v1/search/messages?q=coffee&conversation_id={part(conversation_of(path))}")
    ).items
    shown = [item["message"]["poll"] for item in found]
    if make is a_channel:
        items = (await cy.get("/v1/feed")).items
        shown += [item["post"]["poll"] for item in items]
    assert [counts(poll) for poll in shown] == [HIDDEN] * len(shown)
    assert len(shown) == (4 if make is a_channel else 2)
    assert (await read(cy, after_close))["closed"] is False
    shared_api.clock.move(seconds=61)
    for reader in (ada, bob, cy):
        closed = await read(reader, after_close)
        assert (counts(closed), closed["closed"]) == ([0, 1, 0], True)
    for refused in (
        await cy.put(f"{after_close}/vote", {"options": [0]}),
        await bob.delete(f"{after_close}/vote"),
    ):
        assert refused.refusal == (409, "poll_closed")


async def test_only_who_may_vote_votes_and_only_for_what_there_is(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    message = await ask(ada, channel)
    await vote(bob, message, 0)
    for options in ([], [3], [0, 1], [-1], [100], ["0"], [True], "0", None):
        refused = await bob.put(f"{message}/vote", {"options": options})
        assert refused.refusal == (400, "invalid_request"), options
    text = f"{channel}/posts/{(await a_post(ada, channel))['seq']}"
    for user, path, refusal in (
        (shared_api.new_user(), message, (403, "permission_denied")),
        (shared_api.new_user(business=True), message, (403, "business_account")),
        (bob, text, (409, "not_a_poll")),
        (bob, f"{channel}/posts/99", (404, "post_not_found")),
        (bob, f"{group_path(channel)}/messages/99", (404, "message_not_found")),
    ):
        assert (await user.put(f"{path}/vote", {"options": [0]})).refusal == refusal
    assert (await ada.post(f"{text}/poll/close")).refusal == (409, "not_a_poll")
    # Who is banned from reacting does not vote either, and may take their vote back.
    assert (await ada.put(f"{channel}/reaction-bans/{bob.id}")).status < 300
    assert (await bob.put(f"{message}/vote", {"options": [1]})).refusal == (403, "reacting_banned")
    assert counts((await bob.delete(f"{message}/vote")).body) == [0, 0, 0]
    # Who has left a private channel learns nothing of it.
    hidden = await a_channel(ada, settings={"visibility": "private"})
    secret = await ask(ada, hidden)
    for refused in (
        await bob.put(f"{secret}/vote", {"options": [0]}),
        await bob.delete(f"{secret}/vote"),
        await bob.post(f"{secret}/poll/close"),
    ):
        assert refused.refusal == (404, "channel_not_found")


@pytest.mark.parametrize(
    ("field", "fits", "exceeds", "code"),
    [
        ("question", "q" * 300, "q" * 301, "field_too_long"),
        ("question", "茶" * 100, "茶" * 101, "field_too_long"),
        ("question", "?", "  ", "invalid_request"),
        ("options", ["a", "b"], ["a"], "invalid_request"),
        ("options", ["a", "b"], ["Tea", "TÉA "], "invalid_request"),
        ("options", ["a", "b"], ["a", " "], "invalid_request"),
        ("options", [*"abcdefghijkl"], [*"abcdefghijklm"], "invalid_request"),
        ("options", ["o" * 100, "b"], ["o" * 101, "b"], "field_too_long"),
        ("results", "after_vote", "never", "invalid_request"),
        ("closes_at", "2036-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "invalid_request"),
    ],
)
async def test_each_part_of_a_poll_has_its_bounds(
    shared_api: Api, field: str, fits: object, exceeds: object, code: str
) -> None:
    ada = shared_api.new_user()
    channel = await a_channel(ada)
    draft = {"post": a_poll(**{field: fits})}
    assert (await ada.post(f"{channel}/posts", a_poll(**{field: fits}))).status == 201
    assert (await ada.post(f"{channel}/drafts", draft)).status == 201
    for path, body in (
        (f"{channel}/posts", a_poll(**{field: exceeds})),
        (f"{channel}/posts/preview", a_poll(**{field: exceeds})),
        (f"{channel}/drafts", {"post": a_poll(**{field: exceeds})}),
    ):
        assert (await ada.post(path, body)).refusal == (400, code)
    for body in ({"kind": "poll"}, {"kind": "text", "text": "x", "poll": POLL}):
        assert (await ada.post(f"{channel}/posts", body)).refusal == (400, "invalid_request")


async def test_an_edit_changes_when_a_poll_closes_and_nothing_that_was_voted_for(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    message = await ask(ada, channel)
    await vote(bob, message, 0)
    text = {"kind": "text", "text": "Hello"}
    for body in (
        a_poll(question="Coffee or tea?"),
        a_poll(options=["Tea", "Coffee"]),
        a_poll(multiple=True),
        a_poll(results="after_close"),
        text,
    ):
        assert (await ada.patch(message, body)).refusal == (409, "poll_fixed")
    plain = f"{channel}/posts/{(await a_post(ada, channel))['seq']}"
    assert (await ada.patch(plain, a_poll())).refusal == (409, "poll_fixed")
    past = a_poll(closes_at=later(shared_api, -1))
    assert (await ada.patch(message, past)).refusal == (400, "invalid_request")
    closes_at = later(shared_api, 60)
    edited = await ada.patch(message, {**a_poll(closes_at=closes_at), "title": "Vote!"})
    assert (edited.body["title"], edited.body["poll"]["closes_at"]) == ("Vote!", closes_at)
    assert counts(edited.body["poll"]) == [1, 0, 0]
    shared_api.clock.move(seconds=61)
    for changed in (None, later(shared_api, 60)):
        reopened = await ada.patch(message, a_poll(closes_at=changed))
        assert reopened.refusal == (409, "poll_closed")
    assert (
        await ada.patch(message, {**a_poll(closes_at=closes_at), "title": "Over"})
    ).status == 200


async def test_closing_a_poll_ends_it_and_shows_its_results_to_all(shared_api: Api) -> None:
    ada, bob, cy = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(ada, bob, cy)
    message = await ask(ada, channel, results="after_close")
    await vote(bob, message, 2)
    ears = await cy.socket()
    await ears.tell(type="watch", conversation_id=conversation_of(channel))
    await ears.answer()
    assert (await bob.post(f"{message}/poll/close")).refusal == (403, "posting_not_allowed")
    closed = (await ada.post(f"{message}/poll/close")).body
    assert (closed["closed"], counts(closed)) == (True, [0, 0, 1])
    edited = await ears.hear("message.edited")
    assert (edited["post"]["poll"]["closed"], edited["post"]["edited_at"]) == (True, None)
    assert (counts(edited["post"]["poll"]), edited["version"]) == (HIDDEN, 1)
    told = await ears.hear("poll.changed")
    assert (told["options"], told["voters"]) == ([0, 0, 1], 1)
    assert (await ada.post(f"{message}/poll/close")).body == closed
    assert [e["type"] for e in await ears.until_now()] == []
    assert counts(await read(cy, message)) == [0, 0, 1]
    assert (await cy.put(f"{message}/vote", {"options": [0]})).refusal == (409, "poll_closed")
    log = (await ada.get(f"{channel}/admin-log")).items
    assert [entry["action"] for entry in log].count("poll_closed") == 1
    await ears.close()


async def test_a_forward_is_a_poll_of_its_own_and_none_goes_to_one_person(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel, group = await a_channel(ada, bob), await a_chat_group(ada, bob)
    message = await ask(ada, channel)
    await vote(bob, message, 1)
    forward = {"forward": {"channel_id": id_of(channel), "seq": int(message.rpartition("/")[2])}}
    copy = (await bob.post(f"{group}/messages", forward)).body
    assert (copy["poll"]["question"], counts(copy["poll"])) == (POLL["question"], [0, 0, 0])
    assert copy["forwarded_from"]["channel_id"] == id_of(channel)
    copied = f"{group}/messages/{copy['seq']}"
    assert counts(await vote(ada, copied, 0)) == [1, 0, 0]
    assert counts(await read(bob, message)) == [0, 1, 0]
    chat = f"/v1/conversations/c2c_{part(ada.id)}/messages"
    with_channel = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages"
    for user, path, body in (
        (bob, chat, a_poll()),
        (bob, chat, forward),
        (bob, with_channel, a_poll()),
    ):
        assert (await user.post(path, body)).refusal == (403, "poll_not_allowed")
    said = await bob.post(with_channel, {"kind": "text", "text": "Hello"})
    assert said.status == 201
    inbox = f"{channel}/inbox/{part(bob.id)}/messages"
    assert (await ada.post(inbox, a_poll())).refusal == (403, "poll_not_allowed")
    edited = await bob.patch(f"{with_channel}/{said.body['seq']}", a_poll())
    assert edited.refusal == (409, "poll_fixed")
    many = {"user_ids": [bob.id], **a_poll()}
    sent = await shared_api.new_user("root", admin=True).post(f"{channel}/inbox/messages", many)
    assert "poll_not_allowed" in sent.text
    await ada.post(f"{message}/poll/close")
    assert (await bob.post(f"{group}/messages", forward)).refusal == (409, "poll_closed")


async def test_a_draft_of_a_poll_is_changed_published_and_fails_where_it_would_be_closed(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    draft = (await ada.post(f"{channel}/drafts", {"post": a_poll()})).body
    assert (counts(draft["post"]["poll"]), draft["post"]["poll"]["voters"]) == (HIDDEN, None)
    path = f"{channel}/drafts/{draft['draft_id']}"
    changed = a_poll(question="Tea?", options=["Yes", "No"])
    assert (await ada.patch(path, {"post": changed})).body["post"]["poll"]["question"] == "Tea?"
    published = (await ada.post(f"{path}/publish")).body
    assert [option["votes"] for option in published["poll"]["options"]] == [0, 0]
    late = a_poll(closes_at=later(shared_api, 30))
    body = {"post": late, "publish_at": later(shared_api, 60)}
    kept = (await ada.post(f"{channel}/drafts", body)).body
    shared_api.clock.move(seconds=120)
    await shared_api.services.channels.drafting.scheduler.publish_due()
    failed = (await ada.get(f"{channel}/drafts/{kept['draft_id']}")).body
    assert failed["failure"]["code"] == "invalid_request"
    assert failed["post"]["poll"]["closed"] is True
    assert len((await bob.get(f"{channel}/posts")).items) == 1


async def test_a_poll_is_found_by_its_words_and_listed_by_its_question(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    message = await ask(ada, channel, question="Welche Farbe?", options=["Zinnoberrot", "Blau"])
    conversation = f"/v1/conversations/{part(conversation_of(channel))}"
    assert (await bob.get(conversation)).body["last_message"]["preview"] == "Welche Farbe?"
    for word in ("farbe", "zinnober"):
        [item] = (await bob.get(f"/v1/search/messages?q={word}&kind=poll")).items
        assert item["message"]["poll"]["question"] == "Welche Farbe?"
        assert item["message"]["kind"] == "poll"
    await ada.delete(message)
    assert (await bob.get("/v1/search/messages?q=zinnober&kind=poll")).items == []


async def test_members_of_a_group_see_who_voted_once_they_see_the_results(shared_api: Api) -> None:
    ada, *users = (shared_api.new_user() for _ in range(5))
    group, channel = await a_chat_group(ada, *users), await a_channel(ada, *users)
    message = await ask(ada, group, results="after_vote")
    for user in users[:3]:
        await vote(user, message, 1)
    assert (await ada.get(f"{message}/vote/1")).refusal == (403, "permission_denied")
    pages = await all_pages(users[0], f"{message}/vote/1", limit=2)
    assert [len(page) for page in pages] == [2, 1]
    listed = [voter["user_id"] for page in pages for voter in page]
    assert listed == sorted(user.id for user in users[:3])
    for option in (0, 9):
        assert (await users[0].get(f"{message}/vote/{option}")).items == []
    assert (await users[0].get(f"{message}/vote/1?cursor=x")).refusal == (400, "bad_cursor")
    post = await ask(ada, channel)
    await vote(users[0], post, 1)
    for user in (ada, users[0], shared_api.new_user("root", admin=True)):
        of_post = f"{group_path(channel)}/messages/{post.rpartition('/')[2]}/vote/1"
        assert (await user.get(of_post)).refusal == (403, "permission_denied")


async def test_watchers_hear_what_everybody_may_see_and_voters_their_own(shared_api: Api) -> None:
    ada, bob, cy = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(ada, bob, cy)
    shown, hidden = await ask(ada, channel), await ask(ada, channel, results="after_vote")
    silent = await ask(ada, channel)
    ears, device = await cy.socket(), await bob.socket()
    watch = {"type": "watch", "conversation_id": conversation_of(channel)}
    await ears.tell(**watch)
    [watched] = (await ears.answer())["conversations"]
    assert "polls" not in watched
    await vote(bob, shown, 2)
    seq = int(shown.rpartition("/")[2])
    told = await ears.hear("poll.changed")
    assert (told["seq"], told["options"], told["voters"]) == (seq, [0, 0, 1], 1)
    assert "mine" not in told
    assert bob.id not in str(told)
    own = await device.hear("poll.changed")
    assert (own["options"], own["mine"]) == ([0, 0, 1], [2])
    await vote(bob, hidden, 0)
    for heard, mine in (
        (await ears.hear("poll.changed"), None),
        (await device.hear("poll.changed"), [0]),
    ):
        assert (heard["options"], heard["voters"], heard.get("mine")) == (None, None, mine)
    # Who watches now gets the votes as they are, and as they may see them.
    as_seen: list[tuple[User, list[int] | None, list[list[int]]]] = [
        (bob, [1, 0, 0], [[0], [2]]),
        (cy, None, [[], []]),
    ]
    for user, of_hidden, own_votes in as_seen:
        other = await user.socket()
        await other.tell(**watch)
        [watched] = (await other.answer())["conversations"]
        assert [poll["seq"] for poll in watched["polls"]] == [seq + 1, seq]
        assert [poll["options"] for poll in watched["polls"]] == [of_hidden, [0, 0, 1]]
        assert [poll["mine"] for poll in watched["polls"]] == own_votes
        await other.close()
    assert (await cy.get(silent)).body["poll"]["voters"] == 0
    for each in (ears, device):
        await each.close()


async def test_a_repeated_poll_is_posted_once(shared_api: Api) -> None:
    ada = shared_api.new_user()
    channel = await a_channel(ada)
    first, second = [
        await ada.post(f"{channel}/posts", a_poll(), idempotency_key="once") for _ in range(2)
    ]
    assert first.body == second.body
    other = await ada.post(f"{channel}/posts", a_poll(multiple=True), idempotency_key="once")
    assert other.refusal == (409, "idempotency_conflict")
