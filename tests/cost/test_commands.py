"""What the hot operations send to the database, command by command: one more is one more for every post.

`test_flat_cost` compares a small channel with a large one, so it sees what grows, and not what all pay. Who changes a
list here has measured what it costs (`channels bench`), and says why in the commit.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import pytest
import pytest_asyncio

from tests.api import Answer, User, conversation_of, part
from tests.cost.conftest import Watched
from tests.cost.test_flat_cost import (
    Act,
    Stage,
    a_stage,
    cost_of,
    list_conversations,
    mark_all_read,
    mark_read,
    post,
    react,
    read_as_stranger,
    read_as_subscriber,
    read_further_back,
    read_one,
    replace_a_reaction,
    subscribe,
    subscribe_again,
    unreact,
    unread_totals,
    unsubscribe,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

Operation = Callable[[Stage], Awaitable[Act]]

LIKE: Final = part("👍")
CALLERS: Final = 12
MOST_BATCHES: Final = CALLERS // 2
"""Over HTTP some callers come a moment later than the others."""


async def write_to_a_user(stage: Stage) -> Act:
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    said = {"kind": "text", "text": "Hello"}
    assert (await stage.owner.post(path, said)).status == 201
    return lambda: stage.owner.post(path, said)


async def read_a_dialogue(stage: Stage) -> Act:
    await write_to_a_user(stage)
    path = f"/v1/conversations/{part(f'c2c_{stage.stranger.id}')}/messages"
    return lambda: stage.owner.get(f"{path}?limit=20")


async def read_forward(stage: Stage) -> Act:
    return lambda: stage.reader.get(f"{stage.path}/posts?after_seq=3&limit=20")


OF_A_TRANSACTION: Final = {"insert events": 1, "commitTransaction": 1}
OF_A_READ: Final = {"find members": 1, "find groups": 1, "find messages": 1, "aggregate tallies": 1}
OF_ALL_CONVERSATIONS: Final = {"find members": 1, "find conversations": 1, "find streams": 1}

COMMANDS: Final[dict[Operation, dict[str, int]]] = {
    post: {
        "aggregate groups": 1,
        "update streams": 1,
        "insert messages": 1,
        "update conversations": 1,
        "update insights": 1,
        **OF_A_TRANSACTION,
    },
    write_to_a_user: {
        "aggregate streams": 1,
        "find blocks": 1,
        "update streams": 1,
        "insert messages": 1,
        "update conversations": 1,
        "aggregate tallies": 1,
        **OF_A_TRANSACTION,
    },
    subscribe: {
        "aggregate groups": 1,
        "update groups": 1,
        "insert members": 1,
        "update insights": 1,
        **OF_A_TRANSACTION,
    },
    subscribe_again: {"aggregate groups": 1, "commitTransaction": 1},
    unsubscribe: {
        "aggregate groups": 1,
        "update groups": 1,
        "delete members": 1,
        "update departures": 1,
        "find conversations": 1,
        "insert conversations": 1,
        "delete conversations": 1,
        "update insights": 1,
        **OF_A_TRANSACTION,
    },
    react: {
        "findAndModify messages": 1,
        "aggregate groups": 1,
        "update tallies": 1,
        "insert reactions": 1,
        "update insights": 1,
        **OF_A_TRANSACTION,
    },
    replace_a_reaction: {
        "findAndModify messages": 1,
        "aggregate groups": 1,
        "update tallies": 1,
        "delete reactions": 1,
        "insert reactions": 1,
        "update insights": 1,
        **OF_A_TRANSACTION,
    },
    unreact: {
        "findAndModify messages": 1,
        "aggregate groups": 1,
        "update tallies": 1,
        "delete reactions": 1,
        **OF_A_TRANSACTION,
    },
    read_as_subscriber: {"aggregate groups": 1},
    read_as_stranger: {"aggregate groups": 1, "find restrictions": 1},
    read_further_back: {"aggregate groups": 1},
    read_forward: OF_A_READ,
    read_one: OF_A_READ,
    read_a_dialogue: {"find messages": 1, "aggregate tallies": 1},
    mark_read: {**OF_ALL_CONVERSATIONS, "update conversations": 1, **OF_A_TRANSACTION},
    mark_all_read: {
        "find conversation_groups": 1,
        **OF_ALL_CONVERSATIONS,
        "update conversations": 1,
        **OF_A_TRANSACTION,
    },
    unread_totals: {"find conversation_groups": 1, **OF_ALL_CONVERSATIONS},
    list_conversations: {
        "find members": 1,
        "find conversations": 2,
        "find streams": 2,
        "find groups": 1,
    },
}
"""Of one caller alone, by command and collection."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(watched: Watched) -> AsyncIterator[Stage]:
    stage = await a_stage(watched.api, 10)
    yield stage
    await stage.ears.close()


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda operation: operation.__name__)
async def test_a_lone_caller_sends_these_commands_and_no_other(
    watched: Watched, stage: Stage, operation: Operation
) -> None:
    # The first time a process fills what it keeps in memory.
    await cost_of(watched, operation, stage)
    assert (await cost_of(watched, operation, stage)).commands == COMMANDS[operation]


# --- in a batch -------------------------------------------------------------------------------------------------------


async def each_alike(stage: Stage, operation: Operation) -> list[Act]:
    return [await operation(stage) for _ in range(CALLERS)]


async def each_of_another_user(
    stage: Stage, call: Callable[[User], Awaitable[Answer]]
) -> list[Act]:
    users = [await stage.subscriber() for _ in range(CALLERS)]
    return [partial(call, user) for user in users]


async def together(stage: Stage, operation: Operation) -> list[Act]:
    """What as many users do at once as a batch is made of."""
    if operation is react:
        path = f"{await stage.post()}/reactions/{LIKE}"
        return await each_of_another_user(stage, lambda user: user.put(path))
    if operation is read_as_subscriber:
        path = f"{stage.path}/posts?limit=20"
        return await each_of_another_user(stage, lambda user: user.get(path))
    if operation is unread_totals:
        return await each_of_another_user(stage, lambda user: user.get("/v1/unread"))
    if operation is mark_read:
        path = f"/v1/conversations/{part(conversation_of(stage.path))}/read"
        acts = await each_of_another_user(stage, lambda user: user.post(path, {}))
        await stage.post()
        await asyncio.gather(*(act() for act in acts))  # the first one makes a cursor of his own
        await stage.post()
        return acts
    return await each_alike(stage, operation)


BATCHED: Final = [post, write_to_a_user, subscribe, unsubscribe, react, read_as_subscriber]
BATCHED_TOO: Final = [read_further_back, read_forward, mark_read, unread_totals]


@pytest.mark.parametrize(
    "operation", [*BATCHED, *BATCHED_TOO], ids=lambda operation: operation.__name__
)
async def test_a_batch_sends_the_commands_of_one_caller(
    watched: Watched, stage: Stage, operation: Operation
) -> None:
    expected = Counter(COMMANDS[operation])
    # Each answer is completed by a read of its own.
    of_each = Counter({"aggregate tallies": 1}) if operation is write_to_a_user else Counter[str]()
    acts = await together(stage, operation)
    await stage.settle()
    await watched.probe.take()
    answers = await asyncio.gather(*(act() for act in acts))
    assert all(answer.status < 300 for answer in answers), answers
    sent = Counter((await watched.probe.take()).commands)
    batches = [
        Counter({name: times * number for name, number in (expected - of_each).items()})
        + Counter({name: CALLERS * number for name, number in of_each.items()})
        for times in range(1, MOST_BATCHES + 1)
    ]
    assert sent in batches


async def test_no_list_of_conversations_costs_more_for_those_beside_it(
    watched: Watched, stage: Stage
) -> None:
    acts = await each_of_another_user(stage, lambda user: user.get("/v1/conversations"))
    await asyncio.gather(*(act() for act in acts))
    await stage.settle()
    await watched.probe.take()
    await asyncio.gather(*(act() for act in acts))
    sent = (await watched.probe.take()).commands
    for name, times in sent.items():
        assert times <= CALLERS * COMMANDS[list_conversations][name], sent
