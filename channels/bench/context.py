"""Shared by all cases: the plan, the deployment, the load generator, users with tokens, channels with subscribers."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

from channels.bench.cpu import CpuSeconds, cpu_seconds
from channels.bench.load import Generator, Job, LoadFailed, Outcome, request
from channels.bench.plan import Plan
from channels.bench.processes import Address, Deployment, Server
from channels.bench.scene import TEXT, Call, Scene, Source
from channels.bench.store import BenchStore

APP: Final = "bench-app"
"""The application's back end, which owns every channel of the run."""
TOKEN_SECONDS: Final = 6 * 3600
SETUP_SECONDS: Final = 240.0
CALLERS: Final = 64  # connections for calls that prepare a case
UPLOAD_LINES: Final = 5_000  # lines of the import that are sent together


@dataclass(slots=True)
class BenchContext:
    """The state of a run."""

    plan: Plan
    deployment: Deployment
    store: BenchStore
    generator: Generator
    say: Callable[[str], None]
    """Shows what is being done."""
    mongod: int | None = None
    """The process of the database, if it runs on this machine."""
    server: Server = field(init=False)
    """The server that is measured now."""
    made: dict[int, str] = field(default_factory=dict)
    """Channels by their number of subscribers."""
    scene: Scene | None = None
    """The channels and users of the ordinary load, once they are made."""
    scene_failure: str = ""
    """Why they could not be made."""
    sources: dict[tuple[str, bool], Source] = field(default_factory=dict)
    """The calls of the ordinary load, by kind and whether it is hot."""
    subscribed: list[str] = field(default_factory=list)
    """Users of the subscribe case, who are subscribed to `hot`."""
    hot: str = ""
    """The channel of the subscribe case."""
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, user: str) -> str:
        """A token of the user; for `APP`, of the application's back end."""
        if user not in self._tokens:
            claims: dict[str, Any] = {"sub": user, "exp": int(time.time()) + TOKEN_SECONDS}
            if user == APP:
                claims["scope"] = "admin"
            self._tokens[user] = jwt.encode(claims, self.deployment.secret, algorithm="HS256")
        return self._tokens[user]

    def request(self, method: str, path: str, user: str = APP, body: object = None) -> bytes:
        """The bytes of a request."""
        content = b"" if body is None else json.dumps(body).encode()
        return request(method, path, self.token(user), content)

    def call(self, call: Call) -> bytes:
        """The bytes of a call."""
        return self.request(call.method, call.path, call.user or APP, call.body)

    def create_request(self, name: str) -> bytes:
        """The bytes of a request that creates the channel."""
        body = {"channel_id": f"@TOA#_{name}", "name": name}
        return self.request("POST", "/v1/channels", body=body)

    def post_request(self, channel: str, text: str = TEXT) -> bytes:
        """The bytes of a request that posts the text to the channel."""
        body = {"kind": "text", "text": text}
        return self.request("POST", f"/v1/channels/{channel}/posts", body=body)

    async def drive(
        self,
        requests: Sequence[bytes],
        *,
        connections: int,
        seconds: float | None = None,
        is_cycle: bool = False,
        address: Address | None = None,
        generator: Generator | None = None,
    ) -> Outcome:
        """Send the requests with the generator, by default to `server` for the plan's `seconds`."""
        where = address or self.server
        length = self.plan.seconds if seconds is None else seconds
        job = Job(where.host, where.port, requests, connections, length, is_cycle)
        before = self.spent(where) if isinstance(where, Server) else CpuSeconds()
        outcome = await (generator or self.generator).drive(job)
        if isinstance(where, Server):
            outcome.spent = self.spent(where) - before
        return outcome

    async def drive_several(
        self,
        shares: Sequence[tuple[Server, Sequence[bytes]]],
        *,
        connections: int,
        seconds: float,
        is_cycle: bool,
    ) -> list[Outcome]:
        """Send to each of several servers its own requests, all at once, with this many connections in all.

        Returns the outcome of each; `spent` of the first one is the processor time of all.
        """
        each = connections // len(shares)
        jobs = [
            Job(server.host, server.port, requests, each, seconds, is_cycle)
            for server, requests in shares
        ]
        servers = [server for server, _ in shares]
        before = self.spent(*servers)
        outcomes = await self.generator.drive_all(jobs)
        outcomes[0].spent = self.spent(*servers) - before
        return outcomes

    def spent(self, *servers: Server) -> CpuSeconds:
        """Processor time so far of these servers (`server` without any), and of the database."""
        pids = [each.pid for each in servers or [self.server]]
        return CpuSeconds(cpu_seconds(pids), cpu_seconds([self.mongod]))

    async def prepare(self, requests: Sequence[bytes], *, connections: int = CALLERS) -> None:
        """Send each request once; all must succeed."""
        outcome = await self.drive(requests, connections=connections, seconds=SETUP_SECONDS)
        outcome.only(200, 201, 204)
        if len(outcome.latencies) < len(requests):
            finished = len(outcome.latencies)
            raise LoadFailed(f"only {finished} of {len(requests)} calls finished in time")

    async def channel(self, name: str, *, posts: int = 0) -> str:
        """Create a channel with this many posts, one after the other. Returns its name in paths."""
        await self.prepare([self.create_request(name)], connections=1)
        if posts:
            await self.prepare([self.post_request(name)] * posts, connections=1)
        return name

    async def subscribe(self, channel: str, users: Sequence[str]) -> None:
        """Subscribe the users, each with a call."""
        path = f"/v1/channels/{channel}/subscription"
        await self.prepare([self.request("PUT", path, user) for user in users], connections=128)

    async def import_users(self, channel: str, users: Sequence[str]) -> float:
        """Import new subscribers into the channel. Returns the seconds."""
        started = time.perf_counter()
        await asyncio.to_thread(self._import_users, channel, users)
        return time.perf_counter() - started

    def _import_users(self, channel: str, users: Sequence[str]) -> None:
        headers = {
            "Authorization": f"Bearer {self.token(APP)}",
            "Content-Type": "application/x-ndjson",
        }
        path = f"/v1/channels/{channel}/subscribers"
        with closing(http.client.HTTPConnection(self.server.host, self.server.port)) as connection:
            try:
                connection.request("POST", path, _lines_of(users), headers)
                last = connection.getresponse().read().decode().splitlines()[-1]
            except (OSError, http.client.HTTPException) as error:
                raise LoadFailed(f"the import: {error!r}") from error
        result = json.loads(last)
        if not result.get("done") or result["added"] != len(users):
            raise LoadFailed(f"the import: {last[:500]}")


def _lines_of(users: Sequence[str]) -> Iterator[bytes]:
    for first in range(0, len(users), UPLOAD_LINES):
        part = users[first : first + UPLOAD_LINES]
        yield "".join(f'{{"user_id":"{user}"}}\n' for user in part).encode()
