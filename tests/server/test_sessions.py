"""Tokens that are renewed, revoked and signed anew, and how many sockets one user may have."""

import asyncio

import jwt
import pytest
from aiohttp import WSMsgType

from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.delivery import Session
from channels.server.realtime.session import SocketSession
from channels.server.tokens import TokenVerifier, mint
from groups.events import TokensRevoked
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from groups.service.revocations import Revocations
from groups.store.users import UserStore
from tests.api import SECRET, Api, Ears, MovedClock, User, part
from tests.conftest import OpenApi

REFUSED = (401, "unauthenticated")


@pytest.fixture
async def server(api: OpenApi) -> Api:
    return await api()


async def lives(ears: Ears) -> None:
    """The socket answers."""
    await ears.tell(type="ping")
    while (await ears.frame())["type"] != "pong":
        pass


async def until_refused(user: User) -> None:
    async with asyncio.timeout(10):
        while (await user.get("/v1/users/me")).status == 200:
            await asyncio.sleep(0.01)
    assert (await user.get("/v1/users/me")).refusal == REFUSED


# --- revoked ----------------------------------------------------------------------------------------------------------


async def test_revoking_signs_out_everywhere_and_new_tokens_work(
    server: Api,
) -> None:
    ada = server.new_user("ada")
    phone, other = await ada.socket(), await server.new_user("bob").socket()
    assert (await ada.delete("/v1/users/me/tokens")).status == 204
    assert await phone.closed() == CloseCode.BAD_TOKEN
    assert (await ada.get("/v1/users/me")).refusal == REFUSED
    again = server.user_of(ada.id)
    assert (await again.get("/v1/users/me")).status == 200
    await (await again.socket()).close()
    await lives(other)


async def test_users_revoke_their_own_tokens_and_the_application_any(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = f"/v1/users/{part(ada.id)}/tokens"
    assert (await bob.delete(path)).refusal == (403, "permission_denied")
    assert (await ada.get("/v1/users/me")).status == 200
    assert (await server.new_user("root", admin=True).delete(path)).status == 204
    assert (await ada.get("/v1/users/me")).refusal == REFUSED
    assert (await bob.get("/v1/users/me")).status == 200


@pytest.mark.parametrize("with_token", [True, False], ids=["in the header", "in a frame"])
async def test_a_token_revoked_between_its_check_and_the_hub_opens_nothing(
    server: Api, monkeypatch: pytest.MonkeyPatch, with_token: bool
) -> None:
    ada, hub = server.new_user("ada"), server.hub
    attach = hub.attach

    def attach_late(session: Session) -> None:
        revoked = TokensRevoked(at=server.clock.now(), user_id=UserId(ada.id))
        server.services.chat.revocations.on_events([revoked])
        hub.on_events([revoked])
        attach(session)

    monkeypatch.setattr(hub, "attach", attach_late)
    ears = await ada.connect(with_token=with_token)
    if not with_token:
        await ears.tell(type="auth", token=ada.token)
    first = await ears.socket.receive(timeout=10)
    assert (first.type, first.data) == (WSMsgType.CLOSE, CloseCode.BAD_TOKEN)
    await ears.close()


async def test_a_revocation_holds_in_the_other_process_and_after_a_restart(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(), await api(database=second_database)
    ada = here.new_user("ada")
    same = User(there.http, there.base, ada.id, ada.token)
    ears = await same.socket()
    await ada.delete("/v1/users/me/tokens")
    assert await ears.closed() == CloseCode.BAD_TOKEN
    await until_refused(same)
    later = Revocations(
        database=second_database, users=UserStore(second_database), clock=there.clock
    )
    await later.load()
    assert later.revoked_at(ada.id) is not None  # type: ignore[arg-type]  # a plain id will do


async def test_a_revocation_is_learnt_even_when_events_were_lost(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    ada, services = server.new_user("ada"), server.services
    users, now = UserStore(services.database), services.clock.now()
    await services.database.run(lambda tx: users.revoke(UserId(ada.id), now, tx))
    assert (await ada.get("/v1/users/me")).status == 200
    services.chat.revocations.reload()
    await until_refused(ada)


@pytest.mark.parametrize("iat", [None, "now", 2**60])
async def test_a_token_that_does_not_say_when_it_was_issued_is_revoked_too(
    server: Api, iat: object
) -> None:
    ada = server.new_user("ada")
    claims = {"sub": ada.id, "exp": 2**32} | ({"iat": iat} if iat else {})
    undated = server.bearer(jwt.encode(claims, SECRET))
    assert (await undated.get("/v1/users/me")).status == 200
    await ada.delete("/v1/users/me/tokens")
    assert (await undated.get("/v1/users/me")).refusal == REFUSED


# --- signed anew ------------------------------------------------------------------------------------------------------

OLD, NEW = "o" * 40, "n" * 40


def test_while_a_secret_is_changed_both_are_good_and_afterwards_one() -> None:
    now = MovedClock().now()
    old, new = (mint(secret, "ada", admin=False, hours=1, now=now) for secret in (OLD, NEW))
    both = TokenVerifier(NEW, previous=OLD)
    assert both.verify(old).actor == both.verify(new).actor
    with pytest.raises(Exception, match="not valid"):
        TokenVerifier(NEW).verify(old)
    with pytest.raises(Exception, match="not valid"):
        TokenVerifier(OLD).verify(new)


# --- renewed ----------------------------------------------------------------------------------------------------------


async def test_a_socket_goes_on_with_a_newer_token(server: Api) -> None:
    ada = server.new_user("ada", hours=1)
    ears = await ada.socket()
    newer = server.user_of(ada.id, hours=3)
    await ears.tell(type="auth", token=newer.token)
    renewed = await ears.frame()
    assert renewed["type"] == "renewed"
    (session,) = server.hub.sessions_of(UserId(ada.id))
    assert isinstance(session, SocketSession)
    assert session.expires_in > 2 * 3600
    await lives(ears)


async def test_a_bad_or_foreign_token_leaves_the_socket_unchanged(
    server: Api,
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    ears = await ada.socket()
    for token, code in ((bob.token, "invalid_request"), ("nonsense", "unauthenticated")):
        await ears.tell(type="auth", token=token)
        frame = await ears.frame()
        assert (frame["type"], frame["code"]) == ("error", code)
    await lives(ears)


# --- how many ---------------------------------------------------------------------------------------------------------


async def test_one_socket_beyond_the_limit_replaces_the_oldest(
    api: OpenApi,
) -> None:
    server = await api(sockets_per_user=2)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    oldest, second = await ada.socket(), await ada.socket()
    others = await bob.socket()
    third = await ada.socket()
    assert await oldest.closed() == CloseCode.REPLACED
    for ears in (second, third, others):
        await lives(ears)
