"""Compares the journal of a load with the stored collections and with the answers of the server."""

import asyncio
import io
import time
from collections import Counter, defaultdict
from typing import Any, Final

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern
from rich.console import Console

from channels.verify.command import run
from groups.kernel.ids import SEPARATOR, GroupId
from groups.models import stream_of
from tests.faults.deployment import DATABASE, Server
from tests.faults.load import Clients, Journal

_REPEATED: Final = 40  # acknowledged posts that are sent once more
_CLEARING_SECONDS: Final = 20.0
_COUNTED: Final = ("posts", "joined", "left", "removed")

Documents = list[dict[str, Any]]


async def audit(journal: Journal, clients: Clients, server: Server, *others: Server) -> None:
    """Make all checks. The stored data is read from the first server's database.

    Raises: AssertionError with everything that is wrong.
    """
    wrong = list(journal.wrong)
    wrong += await _over_http(journal, clients)
    wrong += await asyncio.to_thread(_in_the_collections, journal, server.uri)
    wrong += [defect for each in (server, *others) for defect in each.defects()]
    assert not wrong, f"{len(wrong)} broken:\n" + "\n".join(wrong[:30])
    await asyncio.to_thread(verify, server)


# --- over HTTP --------------------------------------------------------------------------------------------------------


async def _over_http(journal: Journal, clients: Clients) -> list[str]:
    wrong: list[str] = []
    path = f"/v1/channels/{journal.channel_id.removeprefix('@TOA#_')}"
    acknowledged = [(key, post) for key, post in journal.posts.items() if post.seq is not None]
    unanswered = [(key, post) for key, post in journal.posts.items() if post.seq is None]
    step = max(1, len(acknowledged) // _REPEATED)
    for key, post in acknowledged[::step]:
        body = {"kind": "text", "text": post.text}
        again = await clients.insist("POST", f"{path}/posts", post.author, body, key=key)
        if (again["seq"], again["created_at"], again["text"]) != (post.seq, post.at, post.text):
            wrong.append(f"{key}: repeated it is {again}, acknowledged was {post}")
    # Repeat the unanswered ones, so that each is stored exactly once, whether it was stored before or not.
    for key, post in unanswered[:_REPEATED]:
        body = {"kind": "text", "text": post.text}
        answer = await clients.insist("POST", f"{path}/posts", post.author, body, key=key)
        post.seq, post.at = answer["seq"], answer["created_at"]
    shown = await posts_after(clients, path, 0)
    texts = {item["seq"]: item["text"] for item in shown}
    if [item["seq"] for item in shown] != list(range(1, len(shown) + 1)):
        wrong.append("the posts are not 1, 2, 3 …")
    for key, post in journal.posts.items():
        if post.seq is not None and texts.get(post.seq) != post.text:
            wrong.append(f"LOST {key}: acknowledged as {post}, there is {texts.get(post.seq)!r}")
    return wrong


async def posts_after(clients: Clients, path: str, seq: int) -> Documents:
    """All posts after the seq, oldest first."""
    found: Documents = []
    while True:
        page = await clients.insist(
            "GET", f"{path}/posts?limit=100&after_seq={found[-1]['seq'] if found else seq}", "owner"
        )
        found += reversed(page["items"])
        if page["next_cursor"] is None:
            return found


# --- in the collections -----------------------------------------------------------------------------------------------


def _in_the_collections(journal: Journal, uri: str) -> list[str]:
    client: MongoClient[dict[str, Any]] = MongoClient(
        uri, serverSelectionTimeoutMS=20_000, tz_aware=True
    )
    try:
        _wait_for_clearing(client)
        # In one snapshot, since the server may still be writing.
        with client.start_session() as session, session.start_transaction(ReadConcern("snapshot")):
            stored = {
                name: list(client[DATABASE][name].find({}, session=session))
                for name in (
                    *("groups", "members", "streams", "messages", "reactions", "tallies"),
                    *("channels", "counters", "disbanded", "events", "insights"),
                )
            }
    finally:
        client.close()
    return [
        *_streams_are_dense(stored),
        *_posts_are_there_once(stored, journal),
        *_members_are_counted(stored, journal),
        *_tallies_are_honest(stored, journal),
        *_channels_are_counted(stored, journal),
        *_days_are_counted_once(stored, journal),
        *_nothing_outlives_its_group(stored),
        *_every_post_has_its_event(stored, journal),
    ]


def _wait_for_clearing(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + _CLEARING_SECONDS
    while time.monotonic() < deadline and client[DATABASE].disbanded.find_one():
        time.sleep(0.05)


def _streams_are_dense(stored: dict[str, Documents]) -> list[str]:
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    for message in stored["messages"]:
        seqs[message["stream_id"]].append(message["seq"])
    wrong: list[str] = []
    for stream in stored["streams"]:
        found, head = sorted(seqs.pop(stream["_id"], [])), stream["head_seq"]
        if found != list(range(1, head + 1)):
            wrong.append(f"{stream['_id']}: head {head}, {len(found)} messages")
        if head and stream["last"]["seq"] != head:
            wrong.append(f"{stream['_id']}: head {head}, last {stream['last']['seq']}")
    return wrong + [f"messages of {stream_id}, which is no stream" for stream_id in seqs]


def _posts_are_there_once(stored: dict[str, Documents], journal: Journal) -> list[str]:
    stream_id = stream_of(GroupId(journal.channel_id))
    texts = Counter(
        message["content"]["text"]
        for message in stored["messages"]
        if message["stream_id"] == stream_id
    )
    wrong = [f"{count} times {text!r}" for text, count in texts.items() if count > 1]
    sent = {post.text for post in journal.posts.values()}
    wrong += [f"nobody sent {text!r}" for text in texts if text not in sent]
    wrong += [
        f"LOST {post}"
        for post in journal.posts.values()
        if post.seq is not None and not texts[post.text]
    ]
    return wrong


def _members_are_counted(stored: dict[str, Documents], journal: Journal) -> list[str]:
    counted = Counter(member["group_id"] for member in stored["members"])
    wrong = [
        f"{group['_id']}: member_count {group['member_count']}, {counted[group['_id']]} records"
        for group in stored["groups"]
        if group["member_count"] != counted[group["_id"]]
    ]
    there = {m["user_id"] for m in stored["members"] if m["group_id"] == journal.channel_id}
    wrong += [
        f"LOST membership of {user}: known {possible}, found {user in there}"
        for user, possible in journal.members.items()
        if (user in there) not in possible
    ]
    return wrong


def _tallies_are_honest(stored: dict[str, Documents], journal: Journal) -> list[str]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    held: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for reaction in stored["reactions"]:
        counts[reaction["message_id"]][reaction["emoji"]] += 1
        held[reaction["user_id"], reaction["message_id"]].add(reaction["emoji"])
    wrong: list[str] = []
    for tally in stored["tallies"]:
        found = dict(counts.pop(tally["_id"], Counter()))
        if found != tally["counts"] or tally["total"] != sum(found.values()):
            wrong.append(f"{tally['_id']!r}: tally {tally['counts']}, reactions {found}")
    wrong += [f"reactions without a tally: {message_id!r}" for message_id in counts]
    stream_id = stream_of(GroupId(journal.channel_id))
    for (user, seq), possible in journal.reactions.items():
        emoji = held[user, f"{stream_id}{SEPARATOR}{seq}"]
        if len(emoji) > 1 or next(iter(emoji), None) not in possible:
            wrong.append(f"LOST reaction of {user} to {seq}: known {possible}, found {emoji}")
    return wrong


def _channels_are_counted(stored: dict[str, Documents], journal: Journal) -> list[str]:
    there = {channel["_id"] for channel in stored["channels"]}
    marked = {g["_id"] for g in stored["groups"] if "official_account" in g["custom"]}
    wrong = (
        [f"a channel and no group, or the other way: {there ^ marked}"] if there ^ marked else []
    )
    counter = next(iter(stored["counters"]), {"count": 0})["count"]
    if counter != len(there):
        wrong.append(f"counted {counter} channels, there are {len(there)}")
    wrong += [
        f"LOST state of {channel_id}: known {possible}, found {channel_id in there}"
        for channel_id, possible in journal.channels.items()
        if (channel_id in there) not in possible
    ]
    return wrong


def _days_are_counted_once(stored: dict[str, Documents], journal: Journal) -> list[str]:
    """Compares what was added up, and what waits to be, with the posts and members that are there."""
    counted = Counter[str]()
    for day in stored["insights"]:
        if day["channel_id"] == journal.channel_id:
            counted.update({name: day.get(name, 0) for name in _COUNTED})
    for document in stored["events"]:
        if "uncounted" in document:
            for count in document["counts"]:
                if count["channel_id"] == journal.channel_id:
                    counted.update({name: count["sums"].get(name, 0) for name in _COUNTED})
    stream_id = stream_of(GroupId(journal.channel_id))
    posts = sum(stream["head_seq"] for stream in stored["streams"] if stream["_id"] == stream_id)
    members = sum(g["member_count"] for g in stored["groups"] if g["_id"] == journal.channel_id)
    # The owner was there from the beginning.
    came = counted["joined"] - counted["left"] - counted["removed"] + 1
    wrong: list[str] = []
    if counted["posts"] != posts:
        wrong.append(f"insights count {counted['posts']} posts, there are {posts}")
    if came != members:
        wrong.append(f"insights count {came} members, there are {members}")
    return wrong


def _nothing_outlives_its_group(stored: dict[str, Documents]) -> list[str]:
    groups = {group["_id"] for group in stored["groups"]}
    streams = {stream_of(group_id) for group_id in groups}
    wrong = [f"{left['_id']} is still being cleared" for left in stored["disbanded"]]
    wrong += [f"{m['_id']!r} outlives" for m in stored["members"] if m["group_id"] not in groups]
    for name in ("streams", "messages", "reactions", "tallies"):
        wrong += [
            f"{name}: {document['_id']!r} outlives its group"
            for document in stored[name]
            if document["_id"].split(SEPARATOR)[0] not in streams
        ]
    return wrong


def _every_post_has_its_event(stored: dict[str, Documents], journal: Journal) -> list[str]:
    stream_id = stream_of(GroupId(journal.channel_id))
    announced = Counter(
        event["message"]["seq"]
        for document in stored["events"]
        for event in document["events"]
        if event["type"] == "message.posted" and event["message"]["stream_id"] == stream_id
    )
    kept = {m["seq"] for m in stored["messages"] if m["stream_id"] == stream_id}
    wrong = [
        f"post {seq} was announced {count} times" for seq, count in announced.items() if count > 1
    ]
    wrong += [f"post {seq} was announced and is not there" for seq in announced.keys() - kept]
    return wrong + [f"post {seq} was never announced" for seq in kept - announced.keys()]


# --- with the product's own checks ------------------------------------------------------------------------------------


def verify(server: Server) -> None:
    """Run `channels verify` in this process, which has loaded it already. Not inside an event loop."""
    output = io.StringIO()
    console = Console(file=output, highlight=False)
    code = asyncio.run(run(server.uri, DATABASE, repair=False, console=console))
    assert code == 0, output.getvalue()
