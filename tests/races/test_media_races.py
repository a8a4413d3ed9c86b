"""Two processes sweep expired uploads while posts begin to use some: each upload is used or deleted."""

import asyncio

from channels.limits import Limits
from groups.kernel.mongo import Database
from tests.api import Api, MovedClock, a_channel
from tests.conftest import OpenApi

UPLOADS = 24


async def test_an_expiring_upload_is_in_a_post_or_deleted(
    api: OpenApi, database: Database, second_database: Database
) -> None:
    clock = MovedClock()
    servers = [
        await api(clock=clock, uploads_per_user=UPLOADS),
        await api(clock=clock, uploads_per_user=UPLOADS, database=second_database),
    ]
    ada = servers[0].new_user("ada")
    channel = await a_channel(ada)
    uploaded = await asyncio.gather(
        *(ada.call("POST", "/v1/media", data=b"%d" % n, headers={}) for n in range(UPLOADS))
    )
    ids = [answer.body["media_id"] for answer in uploaded]
    clock.move(seconds=Limits().unused_media_seconds + 1)
    late = servers[1].user_of(ada.id)

    async def sweep(server: Api, delay: float) -> None:
        await asyncio.sleep(delay)
        await server.services.chat.media.sweep()

    sweeps = [sweep(server, 0.01 * step) for step in range(3) for server in servers]
    sweeping = asyncio.gather(*sweeps)
    posts = await asyncio.gather(
        *(late.post(f"{channel}/posts", {"kind": "file", "file": id}) for id in ids[::2])
    )
    await sweeping
    used = set()
    for id, answer in zip(ids[::2], posts, strict=True):
        if answer.status == 201:
            used.add(id)
        else:
            assert answer.refusal == (404, "media_not_found")
    print(f"{len(used)} of {len(posts)} were used in time")
    for number, id in enumerate(ids):
        loaded = await late.get(f"/v1/media/{id}")
        if id in used:
            assert (loaded.status, loaded.text) == (200, str(number))
        else:
            assert loaded.refusal == (404, "media_not_found")
    for collection in ("media", "blobs.files", "blobs.chunks"):
        assert await database.collection(collection).estimated_document_count() == len(used)
