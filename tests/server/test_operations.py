"""What the server says about itself: alive, ready, measured, documented."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from channels.server.limits.by_address import PROBES_PER_SECOND
from channels.server.metrics import Metrics
from groups.kernel.mongo import Database
from tests.api import Api, a_channel, a_post, open_api, open_database
from tests.conftest import OpenApi
from tests.mongod import Mongod, scratch_directory

shared = pytest.mark.asyncio(loop_scope="module")

PAGES = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs/contributing", "/docs/api"]


@shared
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_there_for_everyone(shared_api: Api, page: str) -> None:
    answer = await shared_api.bearer(None).get(page)
    assert answer.status == 200
    assert answer.text
    assert answer.headers["X-Request-Id"]


@shared
async def test_health_and_readiness_are_json(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    assert (await nobody.get("/healthz")).body == {"status": "ok"}
    assert (await nobody.get("/readyz")).body == {"status": "ready"}


@pytest.fixture
def own_mongod() -> Iterator[Mongod]:
    """A database that this test may hurt."""
    directory = scratch_directory()
    mongod = Mongod(directory, cache_gb=0.25)
    try:
        yield mongod.start()
    finally:
        mongod.kill()
        shutil.rmtree(directory, ignore_errors=True)


def stands_still(pid: int) -> bool:
    """Whether every thread of the process is stopped; a signal reaches them one by one, and till then some answer."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


async def test_a_server_whose_database_hangs_is_alive_but_not_ready(own_mongod: Mongod) -> None:
    async with open_database(own_mongod.uri) as database, open_api(database) as api:
        nobody = api.bearer(None)
        assert (await nobody.get("/readyz")).status == 200
        os.kill(own_mongod.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                while not stands_still(own_mongod.pid):
                    await asyncio.sleep(0.01)
            unready = await nobody.get("/readyz")
            alive = await nobody.get("/healthz")
        finally:
            os.kill(own_mongod.pid, signal.SIGCONT)
        assert unready.refusal == (503, "unavailable")
        assert unready.headers["Retry-After"] == "1"
        assert alive.status == 200
        assert (await nobody.get("/readyz")).status == 200


async def test_a_server_whose_database_died_is_ready_again_when_it_is_back(
    own_mongod: Mongod,
) -> None:
    async with open_database(own_mongod.uri) as database, open_api(database) as api:
        nobody, ada = api.bearer(None), api.new_user("ada")
        path = await a_channel(ada)
        own_mongod.kill()
        assert (await nobody.get("/readyz")).refusal == (503, "unavailable")
        own_mongod.start()
        assert (await nobody.get("/readyz")).status == 200
        assert (await a_post(ada, path))["seq"] == 1


@shared
async def test_metrics_are_prometheus_text_and_count_by_route_not_by_path(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    ears = await ada.socket()
    await ada.get("/v1/no-such-thing")
    answer = await ada.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    posted = (("method", "POST"), ("route", "/v1/channels/{channel_id}/posts"), ("status", "201"))
    assert samples["channels_request_seconds_count", posted] >= 1
    unknown = (("method", "GET"), ("route", "other"), ("status", "404"))
    assert samples["channels_request_seconds_count", unknown] >= 1
    assert samples["channels_commit_batch_entries_count", (("lane", "posts"),)] >= 1
    assert samples["channels_commit_waiting_entries", (("lane", "posts"),)] == 0
    assert samples["channels_refusals_total", (("code", "route_not_found"),)] >= 1
    assert samples["channels_events_reach", ()] == 1
    assert samples["process_resident_memory_bytes", ()] > 0
    assert samples["channels_sockets", ()] == 1
    assert ada.id not in answer.text
    assert "no-such-thing" not in answer.text
    await ears.close()


async def test_a_thousand_readiness_probes_cost_one_write(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings = 0
    ping = Database.ping

    async def counted(database: Database) -> None:
        nonlocal pings
        pings += 1
        await ping(database)

    monkeypatch.setattr(Database, "ping", counted)
    server = await api(probe_seconds=1_000)
    nobody = server.bearer(None)
    answers = await asyncio.gather(*(nobody.get("/readyz") for _ in range(1_000)))
    assert {answer.status for answer in answers} == {200}
    assert (await nobody.get("/readyz")).status == 200
    assert pings == 1
    server.app.operations.is_stopping = True
    assert (await nobody.get("/readyz")).refusal == (503, "unavailable"), "that is told at once"


async def test_metrics_are_collected_once_for_concurrent_requests(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    text = Metrics.text

    def counted(metrics: Metrics) -> bytes:
        nonlocal made
        made += 1
        return text(metrics)

    monkeypatch.setattr(Metrics, "text", counted)
    server = await api(probe_seconds=1_000)
    nobody = server.bearer(None)
    answers = await asyncio.gather(*(nobody.get("/metrics") for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert made == 1


async def test_metrics_require_the_metrics_token_if_there_is_one(api: OpenApi) -> None:
    server = await api(metrics_token="m" * 32, address_requests_per_second=3)
    prometheus, nobody = server.bearer("m" * 32), server.bearer(None)
    for token in (None, "n" * 32, server.new_user().token):
        refused = await server.bearer(token).get("/metrics")
        assert refused.refusal == (401, "unauthenticated")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert (await nobody.get("/metrics")).refusal == (429, "rate_limited"), "it counts"
    for _ in range(2 * PROBES_PER_SECOND):
        assert (await prometheus.get("/metrics")).status == 200, "and this does not"
    for path in ("/healthz", "/readyz"):
        assert (await nobody.get(path)).status == 200


@shared
@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/docs/api/posts"])
async def test_large_pages_are_compressed_and_not_sent_twice(shared_api: Api, path: str) -> None:
    nobody = shared_api.bearer(None)
    whole = await nobody.get(path, headers={"Accept-Encoding": "identity"})
    packed = await nobody.get(path, headers={"Accept-Encoding": "gzip"})
    assert (packed.status, packed.text) == (200, whole.text)
    assert int(packed.headers["Content-Length"]) < int(whole.headers["Content-Length"]) / 2
    again = await nobody.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
