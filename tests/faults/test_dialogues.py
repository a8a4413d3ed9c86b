"""`kill -9` of a server, its database, or one of two, under one-to-one messages, inbox answers, reads, reactions.

The short form goes once through the faults of one server; the long form ten times, and kills one of two:

    pytest -m faults tests/faults/test_dialogues.py -n0 -s
"""

import asyncio
from collections import Counter, defaultdict
from typing import Any, Final

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR
from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server, kill
from tests.faults.dialogue_load import DialogueJournal, DialogueLoad
from tests.faults.load import Clients

NAMES: Final = ("streams", "messages", "threads", "inbox_totals", "reactions", "conversations")

Stored = dict[str, list[dict[str, Any]]]


def snapshot_of(uri: str) -> Stored:
    """The collections, read in one snapshot."""
    with (
        MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=20_000) as client,
        client.start_session() as session,
        session.start_transaction(ReadConcern("snapshot")),
    ):
        return {name: list(client[DATABASE][name].find({}, session=session)) for name in NAMES}


def faults_of(stored: Stored, journal: DialogueJournal) -> list[str]:
    """Everything that differs from what was acknowledged."""
    heads = {stream["_id"]: stream["head_seq"] for stream in stored["streams"]}
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    places: dict[tuple[str, int], str] = {}
    times: Counter[str] = Counter()
    for message in stored["messages"]:
        seqs[message["stream_id"]].append(message["seq"])
        places[message["stream_id"], message["seq"]] = text = message["content"]["text"]
        times[text] += 1
    wrong = [
        f"{stream_id}: head {head}, seqs {sorted(seqs[stream_id])}"
        for stream_id, head in heads.items()
        if sorted(seqs[stream_id]) != list(range(1, head + 1))
    ]
    wrong += [f"{times[text]} times {text!r}" for text in journal.sent if times[text] != 1]
    wrong += [
        f"LOST {text!r}: acknowledged as {sent}"
        for text, sent in journal.sent.items()
        if places.get((sent.stream_id, sent.seq)) != text
    ]
    cursors = {
        thread["user_id"]: thread["read_seq"]
        for thread in stored["threads"]
        if thread["channel_id"] == journal.channel_id
    }
    wrong += [
        f"LOST read of {user} up to {seq}: {cursors[user]}"
        for user, seq in journal.read.items()
        if cursors[user] < seq
    ]
    held = {
        row["message_id"] for row in stored["reactions"] if row["user_id"] == journal.channel_id
    }
    for user, holds in journal.reactions.items():
        stream_id = f"inbox_{journal.channel_id}{PAIR_SEPARATOR}{user}"
        if (f"{stream_id}{SEPARATOR}1" in held) is not holds:
            wrong.append(f"LOST reaction in the thread of {user}: {holds}")
    unread = [
        heads[f"inbox_{journal.channel_id}{PAIR_SEPARATOR}{user}"] - read
        for user, read in cursors.items()
    ]
    shares = [r for r in stored["inbox_totals"] if r["channel_id"] == journal.channel_id]
    counted = sum(r["messages"] for r in shares), sum(r["threads"] for r in shares)
    if counted != (sum(unread), sum(count > 0 for count in unread)):
        wrong.append(f"counted {counted}, the threads make {unread}")
    return wrong


async def check(load: DialogueLoad, clients: Clients, server: Server) -> None:
    journal = await load.stop()
    stored = await asyncio.to_thread(snapshot_of, server.uri)
    assert faults_of(stored, journal) == []
    # The answers of the server too.
    path = f"/v1/channels/{journal.channel_id.removeprefix('@TOA#_')}/inbox"
    badge = await clients.insist("GET", f"{path}/unread", "owner")
    threads = (await clients.insist("GET", f"{path}?limit=100", "owner"))["items"]
    counts = [thread["unread_count"] for thread in threads]
    assert (badge["unread_count"], badge["unread_threads"]) == (
        sum(counts),
        sum(count > 0 for count in counts),
    )
    assert server.defects() == []
    await asyncio.to_thread(verify, server)
    print(f"{len(journal.sent)} messages, {journal.reads} reads acknowledged; lost 0")


async def kill_server(server: Server) -> None:
    server.kill()
    await asyncio.to_thread(server.start)


async def kill_mongod(server: Server) -> None:
    kill(server.mongod_pid)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "rounds", [1, pytest.param(10, marks=[pytest.mark.faults, pytest.mark.timeout(900)])]
)
async def test_one_to_one_messages_are_stored_once_after_kills(
    embedded: Server, rounds: int
) -> None:
    async with Clients([embedded.url]) as clients:
        load = DialogueLoad(clients, seed=1, name=f"kills-{rounds}")
        await load.prepare()
        load.start()
        for fault in (kill_server, kill_mongod) * rounds:
            await load.goes_on(60)
            await fault(embedded)
        await load.goes_on(60)
        await check(load, clients, embedded)


@pytest.mark.faults
@pytest.mark.timeout(240)
async def test_killing_one_of_two_servers_leaves_the_inbox_exact(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    async with Clients([one.url, other.url]) as clients:
        load = DialogueLoad(clients, seed=2, name="dialogue-pair")
        await load.prepare()
        load.start()
        await load.goes_on(60)
        one.kill()
        await load.goes_on(60)
        await asyncio.to_thread(one.start)
        await load.goes_on(60)
        await check(load, clients, other)
