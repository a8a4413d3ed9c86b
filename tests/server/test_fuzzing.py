"""schemathesis against the whole OpenAPI document: what it promises is so, and whatever is sent is answered in kind.

`fuzzing.toml` says what is left out and why. The long form takes its seed from `CHANNELS_FUZZ_SEED`.
"""

import asyncio
import os
import random
import re
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.api import Api, User, a_channel, a_chat_group, a_post, part
from tests.conftest import OpenApi

HERE: Final = Path(__file__).parent
LIKE: Final = part("👍")
SHORT_SEED: Final = 7


async def a_scene(api: Api) -> User:
    """What the document's examples speak of: Ada, who may do everything, her channel `news`, and some talk."""
    ada, bob = api.user_of("ada", admin=True), api.user_of("bob")
    news = await a_channel(ada, bob, channel_id="@TOA#_news")
    tea = await a_chat_group(ada, bob, group_id="@TGS#_tea")
    for path, calls in ((news, "posts"), (tea, "messages")):
        for _ in range(3):
            await a_post(ada, path)
        await bob.put(f"{path}/{calls}/1/reactions/{LIKE}")
    for user, other in ((bob, "@TOA#_news"), (ada, "bob")):
        talk = f"/v1/conversations/{part(f'c2c_{other}')}/messages"
        said = await user.post(talk, {"kind": "text", "text": "Hello"})
        assert said.status == 201, said
    return ada


async def attack(user: User, directory: Path, *arguments: str) -> None:
    """Run schemathesis as this user; its own words are what fails the test."""
    command = shutil.which("schemathesis", path=Path(sys.executable).parent)
    assert command is not None, "schemathesis is part of the `dev` extra"
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.server.fuzzing_hooks",
        "PYTHONPATH": str(HERE.parent.parent),
        # Hypothesis keeps its finds where it is run.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(directory),
    }
    process = await asyncio.create_subprocess_exec(
        command,
        f"--config-file={HERE / 'fuzzing.toml'}",
        "run",
        f"{user.base}/openapi.json",
        f"--header=Authorization: Bearer {user.token}",
        "--no-color",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=directory,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    words = re.sub(r"\S{500,}", "…", said.decode())
    print(words)
    assert process.returncode == 0, words
    assert "API Operations" in words


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "phases",
    ["examples", pytest.param("examples,coverage,fuzzing", marks=pytest.mark.long)],
)
async def test_the_document_holds_at_its_edges(api: OpenApi, tmp_path: Path, phases: str) -> None:
    ada = await a_scene(await api())
    await attack(
        ada,
        tmp_path,
        f"--phases={phases}",
        "--max-examples=1",
        f"--seed={SHORT_SEED}",
        "--workers=2",
    )


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("is_admin", [True, False])
async def test_the_document_holds_in_long_sequences(
    api: OpenApi, tmp_path: Path, is_admin: bool
) -> None:
    server = await api()
    ada = await a_scene(server)
    seed = os.environ.get("CHANNELS_FUZZ_SEED", str(random.randrange(2**32)))
    print("CHANNELS_FUZZ_SEED", seed)
    await attack(
        ada if is_admin else server.user_of("bob"),
        tmp_path,
        "--phases=examples,coverage,fuzzing,stateful",
        "--max-examples=50",
        f"--seed={seed}",
    )
