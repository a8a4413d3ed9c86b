"""Tokens of an identity provider: accepted by its listed keys and for this server only, whatever else is sent."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from channels.server.identity.errors import RETRY_SECONDS, IdentityProviderUnavailable, KeyMissing
from channels.server.identity.key_set import KEY_SET_BYTES, MOST_KEYS, BadKeySet, KeySet
from channels.server.identity.keys import FETCH_SECONDS, REFRESH_SECONDS, ProviderKeys
from channels.server.identity.options import ProviderOptions
from channels.server.identity.provider import IdentityProvider
from channels.server.realtime.close_codes import CloseCode
from channels.server.tokens import AHEAD_SECONDS, BadToken, TokenVerifier
from tests.api import SECRET, Api, MovedClock, User
from tests.conftest import OpenApi
from tests.server.identity import (
    AUDIENCE,
    ISSUER,
    Provider,
    a_private_key,
    a_provider,
    by_hand,
    public_jwk,
)

REFUSED = (401, "unauthenticated")
UNAVAILABLE = (503, "identity_provider_unavailable")


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


@pytest.fixture
async def server(api: OpenApi, provider: Provider) -> Api:
    return await api(identity=provider.options(admin_scope="channels:admin", business_scope="shop"))


def keys_of(server: Api) -> ProviderKeys:
    assert server.app.identity_keys is not None
    return server.app.identity_keys


def move_timer(server: Api, seconds: float) -> None:
    """Move the time by which keys are fetched."""
    timer = keys_of(server).timer
    keys_of(server).timer = lambda: timer() + seconds


async def asked(server: Api, token: str) -> tuple[int, str | None]:
    return (await server.bearer(token).get("/v1/users/me")).refusal


# --- who is let in ----------------------------------------------------------------------------------------------------


async def test_a_token_of_the_provider_is_good_beside_one_signed_with_the_secret(
    server: Api, provider: Provider
) -> None:
    for key_id, kind, algorithm in [
        ("rsa-1", "RSA", "RS256"),
        ("rsa-1", "RSA", "PS256"),
        ("ec", "EC", "ES256"),
        ("ed", "OKP", "EdDSA"),
    ]:
        if key_id not in provider.private:
            provider.add(key_id, kind)
            move_timer(server, RETRY_SECONDS)
        user = server.bearer(provider.token(key_id=key_id, algorithm=algorithm))
        assert (await user.get("/v1/users/me")).body["user_id"] == "ada", algorithm
    assert (await server.user_of("ada").get("/v1/users/me")).status == 200
    assert provider.fetches == 3, "at the start, and once for each key that was new"


async def test_what_is_not_for_this_server_is_refused_and_what_is_likewise_but_for_it_is_not(
    server: Api, provider: Provider
) -> None:
    now = time.time()
    other = Provider()
    refused: dict[str, tuple[str, str]] = {
        "another issuer": (provider.token(iss="https://evil.example"), "`iss`"),
        "an issuer that begins alike": (provider.token(iss=ISSUER + "x"), "`iss`"),
        "issuers in a list": (
            by_hand({"alg": "RS256", "kid": "rsa-1"}, {"iss": [ISSUER]}),
            "valid",
        ),
        "no issuer": (provider.token(iss=None), "lacks"),
        "another audience": (provider.token(aud="mail"), "`aud`"),
        "no audience": (provider.token(aud=None), "lacks"),
        "no expiry": (provider.token(exp=None), "lacks"),
        "an expiry that is text": (provider.token(exp="2099"), "`exp`"),
        "expired": (provider.token(exp=int(now) - 1), "expired"),
        "not valid yet": (provider.token(nbf=int(now) + AHEAD_SECONDS + 30), "`nbf`"),
        "issued in the future": (provider.token(iat=int(now) + AHEAD_SECONDS + 30), "`iat`"),
        "no user": (provider.token(sub=None), "`sub`"),
        "a user id of 33 bytes": (provider.token("x" * 33), "`sub`"),
        "a reserved user id": (provider.token("me"), "`sub`"),
        "a user that is a number": (provider.token(sub=7), "`sub`"),
        "a scope that is a list": (provider.token(scope=["channels:admin"]), "`scope`"),
        "a logout token": (provider.token(headers={"typ": "logout+jwt"}), "`typ`"),
        "bound to a client's key": (provider.token(cnf={"jkt": "x"}), "`cnf`"),
        "signed by another key of this name": (other.token(), "signature"),
        "an extension that must be understood": (
            provider.token(headers={"crit": ["x"], "x": 1}),
            "valid",
        ),
        "a signature cut": (provider.token()[:-8], "valid"),
    }
    for why, (token, words) in refused.items():
        answer = await server.bearer(token).get("/v1/users/me")
        assert answer.refusal == REFUSED, why
        assert words in answer.body["detail"], (why, answer.body["detail"])
    accepted: dict[str, str] = {
        "one of several audiences": provider.token(aud=["mail", AUDIENCE]),
        "valid in a moment": provider.token(nbf=int(now) + AHEAD_SECONDS - 2),
        "a user id of 32 bytes": provider.token("x" * 32),
        "an access token": provider.token(headers={"typ": "at+jwt"}),
        "no issue time": provider.token(iat=None),
        "a scope that is text": provider.token(scope="openid"),
    }
    for why, token in accepted.items():
        assert (await asked(server, token))[0] == 200, why


async def test_the_public_key_of_the_provider_is_no_secret_to_sign_with(
    server: Api, provider: Provider
) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 60}
    public = provider.private["rsa-1"].public_key()
    for written in (
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        json.dumps(provider.listed[0]).encode(),
    ):
        forged = jwt.api_jws.PyJWS()
        signed = by_hand({"alg": "HS256", "kid": "rsa-1"}, claims).rpartition(".")[0]
        hmac = forged.get_algorithm_by_name("HS256")
        signature = jwt.utils.base64url_encode(hmac.sign(signed.encode(), written)).decode()
        assert await asked(server, f"{signed}.{signature}") == REFUSED
    unsigned = by_hand({"alg": "none", "kid": "rsa-1"}, claims, b"")
    assert await asked(server, unsigned) == REFUSED
    # A key is good for its own `alg` only, and for one of another type never.
    provider.add("pinned", "RSA", alg="PS256")
    provider.add("ec", "EC")
    move_timer(server, RETRY_SECONDS)
    await keys_of(server).fetch_for_unknown()
    assert (await asked(server, provider.token(key_id="pinned", algorithm="PS256")))[0] == 200
    move_timer(server, RETRY_SECONDS)
    assert await asked(server, provider.token(key_id="pinned", algorithm="RS256")) == REFUSED
    move_timer(server, RETRY_SECONDS)
    crossed = provider.token(key_id="rsa-1", headers={"kid": "ec"})
    assert await asked(server, crossed) == REFUSED


async def test_admins_and_business_accounts_are_so_by_the_named_scopes_only(
    server: Api, api: OpenApi, provider: Provider
) -> None:
    def may(claims: dict[str, Any], name: str) -> User:
        return server.bearer(provider.token(name, **claims))

    path = "/v1/users/somebody/channels"
    wanted: list[dict[str, Any]] = [
        {"scope": "openid channels:admin"},
        {"scp": ["channels:admin"]},
        {"scp": "channels:admin"},
    ]
    unwanted: list[dict[str, Any]] = [
        {},
        {"scope": "admin"},
        {"scope": "channels:administrator"},
        {"scp": [["channels:admin"]]},
    ]
    for claims in wanted:
        assert (await may(claims, "root").get(path)).status == 200, claims
    for claims in unwanted:
        assert (await may(claims, "root").get(path)).refusal == (403, "permission_denied"), claims
    shop = await may({"scope": "shop"}, "kiosk").get("/v1/users/me")
    assert shop.body["account_kind"] == "business"
    assert (await may({}, "kiosk").get("/v1/users/me")).refusal == (401, "wrong_account_kind")
    # Where no scope is named, none makes anybody an admin: not even the words that our own tokens have.
    plain = await api(identity=provider.options())
    for scope in ("admin", "business", "None", "channels:admin"):
        token = provider.token("person", scope=scope)
        assert (await plain.bearer(token).get(path)).refusal == (403, "permission_denied")
        assert (await plain.bearer(token).get("/v1/users/me")).body["account_kind"] == "person"


async def test_the_users_id_is_the_named_claim_and_a_uuid_fits(
    api: OpenApi, provider: Provider
) -> None:
    by_name = await api(identity=provider.options(user_claim="preferred_username"))
    me = await by_name.bearer(provider.token(preferred_username="lin")).get("/v1/users/me")
    assert me.body["user_id"] == "lin"
    assert await asked(by_name, provider.token()) == REFUSED
    uuid = "6f1C2b9e-8d3a-4c57-9f10-0a1b2c3d4e5f"
    me = await by_name.bearer(provider.token(preferred_username=uuid)).get("/v1/users/me")
    assert me.body["user_id"] == "6f1c2b9e8d3a4c579f100a1b2c3d4e5f"
    by_mail = await api(identity=provider.options(user_claim="email"))
    proven: dict[str, Any] = {"email": "ada@tea.example", "email_verified": True}
    assert (await asked(by_mail, provider.token(**proven)))[0] == 200
    for unproven in (
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
    ):
        assert await asked(by_mail, provider.token(**(proven | unproven))) == REFUSED


async def test_a_revocation_ends_the_providers_tokens_too(server: Api, provider: Provider) -> None:
    # In whole seconds, as many providers have it.
    old = provider.token(iat=int(time.time()) - 5)
    socket = await server.bearer(old).connect()
    assert (await socket.frame())["type"] == "ready"
    assert (await server.new_user("root", admin=True).delete("/v1/users/ada/tokens")).status == 204
    assert await socket.closed() == CloseCode.BAD_TOKEN
    assert await asked(server, old) == REFUSED
    server.clock.move(seconds=1)
    assert (await asked(server, provider.token(now=server.clock.now())))[0] == 200


async def test_a_cached_token_costs_no_second_check_and_ends_at_its_time(
    server: Api, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = provider.token()
    assert (await asked(server, token))[0] == 200
    monkeypatch.setattr(IdentityProvider, "claims_of", None)
    assert (await asked(server, token))[0] == 200
    server.clock.move(seconds=3_601)
    assert await asked(server, token) == REFUSED


# --- keys that come and go --------------------------------------------------------------------------------------------


async def test_a_new_key_is_fetched_at_its_first_token_by_all_who_wait_together(
    server: Api, provider: Provider
) -> None:
    provider.add("rsa-2", "RSA")
    move_timer(server, RETRY_SECONDS)
    provider.gate.clear()
    asking = [
        asyncio.create_task(asked(server, provider.token(f"user-{i}", key_id="rsa-2")))
        for i in range(8)
    ]
    while provider.fetches < 2:
        await asyncio.sleep(0.01)
    # Who needs no new key waits for nothing.
    assert (await asked(server, provider.token()))[0] == 200
    provider.gate.set()
    assert {status for status, _ in await asyncio.gather(*asking)} == {200}
    assert provider.fetches == 2


async def test_tokens_with_random_keys_do_not_have_the_keys_fetched_more_often(
    server: Api, provider: Provider
) -> None:
    hostile = [provider.token(headers={"kid": f"random-{i}"}) for i in range(10)]
    answers = [await server.bearer(token).get("/v1/users/me") for token in hostile]
    assert {answer.refusal for answer in answers} == {UNAVAILABLE}
    assert 1 <= int(answers[0].headers["Retry-After"]) <= RETRY_SECONDS
    assert provider.fetches == 1
    move_timer(server, RETRY_SECONDS)
    assert [await asked(server, token) for token in hostile] == [REFUSED] + [UNAVAILABLE] * 9
    assert provider.fetches == 2
    # Neither do those that no key would make good.
    move_timer(server, RETRY_SECONDS)
    headers = {"kid": "random"}
    for token in (
        provider.token(headers=headers, iss="https://evil.example"),
        provider.token(headers=headers, exp=int(time.time()) - 1),
        provider.token(headers=headers, aud="mail"),
        by_hand({"alg": "RS256", "kid": 7}, {"iss": ISSUER}),
    ):
        assert await asked(server, token) == REFUSED
    assert provider.fetches == 2


async def test_a_withdrawn_key_ends_its_tokens_and_sockets_at_the_next_refresh(
    server: Api, provider: Provider
) -> None:
    provider.add("rsa-2", "RSA")
    move_timer(server, RETRY_SECONDS)
    old, new = provider.token(), provider.token(key_id="rsa-2")
    ended, going = await server.bearer(old).connect(), await server.bearer(new).connect()
    assert (await ended.frame())["type"] == (await going.frame())["type"] == "ready"
    provider.withdraw("rsa-1")
    keys = keys_of(server)
    await keys.refresh_if_due()
    assert (await asked(server, old))[0] == 200, "not due yet"
    move_timer(server, REFRESH_SECONDS)
    await keys.refresh_if_due()
    assert await ended.closed() == CloseCode.BAD_TOKEN
    move_timer(server, RETRY_SECONDS)
    assert await asked(server, old) == REFUSED
    assert (await asked(server, new))[0] == 200
    await going.tell(type="ping")
    assert (await going.frame())["type"] == "pong"


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 302, "headers": {"Location": "/elsewhere"}},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"keys": {}}'},
        {"body": json.dumps({"keys": [{}] * (MOST_KEYS + 1)}).encode()},
        {"body": b'{"keys": []}' + b" " * KEY_SET_BYTES},
    ],
    ids=["500", "a redirect", "a page", "a list", "no list of keys", "too many keys", "too large"],
)
async def test_while_the_provider_is_away_known_keys_stay_good_and_the_metrics_say_so(
    server: Api, provider: Provider, trouble: dict[str, Any]
) -> None:
    for name, value in trouble.items():
        setattr(provider, name, value)
    keys = keys_of(server)
    move_timer(server, REFRESH_SECONDS)
    await keys.refresh_if_due()
    assert provider.fetches == 2
    assert (await asked(server, provider.token("new-user")))[0] == 200
    metrics = (await server.bearer(None).get("/metrics")).text
    assert "channels_identity_fetch_failures_total 1.0" in metrics
    assert keys.age_seconds >= REFRESH_SECONDS
    provider.status, provider.body = 200, None
    await keys.refresh_if_due()  # after a failure not only once an hour
    assert keys.age_seconds < REFRESH_SECONDS


async def test_a_server_starts_without_the_provider_and_takes_its_tokens_once_it_is_there(
    api: OpenApi, provider: Provider
) -> None:
    provider.gate.clear()
    began = time.monotonic()
    server = await api(identity=provider.options())
    assert time.monotonic() - began < FETCH_SECONDS + 10
    answer = await server.bearer(provider.token()).get("/v1/users/me")
    assert answer.refusal == UNAVAILABLE
    assert int(answer.headers["Retry-After"]) >= 1
    assert (await server.user_of("bob").get("/v1/users/me")).status == 200
    # On a socket likewise, before the upgrade and after it.
    ears = await server.bearer(None).connect(with_token=False)
    await ears.tell(type="auth", token=provider.token())
    frame = await ears.frame()
    assert frame["code"] == "identity_provider_unavailable"
    assert frame["retry_after_seconds"] > 0
    code = await ears.closed()
    assert code == CloseCode.UNAVAILABLE
    assert CloseCode.UNAVAILABLE.should_reconnect
    provider.gate.set()
    move_timer(server, RETRY_SECONDS)
    assert (await asked(server, provider.token()))[0] == 200


async def test_a_socket_takes_the_providers_tokens_in_its_frames_and_renews_with_them(
    server: Api, provider: Provider
) -> None:
    provider.add("rsa-2", "RSA")
    move_timer(server, RETRY_SECONDS)
    ears = await server.bearer(None).connect(with_token=False)
    await ears.tell(type="auth", token=provider.token(key_id="rsa-2", exp=int(time.time()) + 60))
    assert (await ears.frame())["user_id"] == "ada"
    provider.add("ec", "EC")
    move_timer(server, RETRY_SECONDS)
    await ears.tell(type="auth", token=provider.token(key_id="ec", algorithm="ES256"))
    assert (await ears.frame())["type"] == "renewed"
    for token, code in [
        (provider.token(headers={"kid": "unknown"}), "identity_provider_unavailable"),
        (provider.token(aud="mail"), "unauthenticated"),
        (provider.token("bob"), "invalid_request"),
    ]:
        await ears.tell(type="auth", token=token)
        assert (await ears.frame())["code"] == code
    await ears.tell(type="ping")
    assert (await ears.frame())["type"] == "pong"


async def test_keys_of_a_file_are_read_again_when_they_change(
    api: OpenApi, provider: Provider, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(provider.document)
    server = await api(identity=provider.options(keys=path))
    assert (await asked(server, provider.token()))[0] == 200
    provider.add("rsa-2", "RSA")
    path.write_bytes(provider.document)
    move_timer(server, RETRY_SECONDS)
    assert (await asked(server, provider.token(key_id="rsa-2")))[0] == 200
    assert provider.fetches == 0


# --- key sets ---------------------------------------------------------------------------------------------------------


def test_only_public_keys_for_signatures_are_taken_and_one_bad_key_spoils_no_other() -> None:
    good = public_jwk(a_private_key("EC"), kid="good")
    key = a_private_key("RSA")
    assert isinstance(key, rsa.RSAPrivateKey)
    private = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    bad: list[Any] = [
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "bad"},
        {**private, "kid": "bad"},
        public_jwk(key, kid="bad", use="enc"),
        public_jwk(key, kid="bad", use=None, key_ops=["sign"]),
        public_jwk(key, kid="bad", key_ops="verify"),
        public_jwk(key, kid="bad", alg="RSA-OAEP"),
        public_jwk(key, kid="bad", alg="HS256"),
        public_jwk(key, kid="bad", alg=7),
        public_jwk(key, kid="bad", n="AQAB"),
        public_jwk(key, kid="bad", n=7),
        {**good, "kid": "bad", "crv": "P-384"},
        {**good, "kid": "bad", "x": "AAAA"},
        {**good, "kid": ["bad"]},
        {"kty": ["RSA"]},
        None,
        "RSA",
    ]
    keys = KeySet.parse(json.dumps({"keys": [*bad, good]}).encode())
    assert [each.key_id for each in keys.by_thumbprint.values()] == ["good"]
    assert keys.find("good", "ES256") is not None
    assert keys.find("good", "RS256") is None
    for taken in (
        public_jwk(key, kid="taken", use=None, key_ops=["verify"]),
        public_jwk(key, kid="taken", alg="RS256"),
    ):
        found = KeySet.parse(json.dumps({"keys": [taken]}).encode()).find("taken", "RS256")
        assert found is not None


def test_a_token_that_names_no_key_is_good_for_a_single_fitting_one() -> None:
    first, second = public_jwk(a_private_key("EC")), public_jwk(a_private_key("EC"))
    one = KeySet.parse(json.dumps({"keys": [first]}).encode())
    two = KeySet.parse(json.dumps({"keys": [first, second]}).encode())
    assert one.find(None, "ES256") is not None
    assert two.find(None, "ES256") is None


# --- whatever is sent -------------------------------------------------------------------------------------------------

PROVIDER = Provider()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jku", "jwk", "x5u"]),
    st.sampled_from(["RS256", "ES256", "EdDSA", "HS256", "none", "rsa-1", "JWT"]) | json_values,
)
claims = st.dictionaries(
    st.sampled_from(
        ["iss", "aud", "sub", "exp", "nbf", "iat", "scope", "scp", "cnf", "email", "jti"]
    ),
    st.sampled_from([ISSUER, AUDIENCE, "ada", 2**33]) | json_values,
)


def a_verifier() -> TokenVerifier:
    async def nothing() -> bytes:
        raise OSError

    keys = ProviderKeys(nothing, source="tests")
    keys.find = KeySet.parse(PROVIDER.document).find
    options = ProviderOptions(keys="x", issuers=(ISSUER,), audiences=(AUDIENCE,))
    return TokenVerifier(
        SECRET, provider=IdentityProvider(options, keys, MovedClock()), clock=MovedClock()
    )


VERIFIER = a_verifier()


@given(header=headers, said=claims, is_signed=st.booleans(), cut=st.integers(0, 400))
def test_whatever_a_token_says_it_is_read_or_refused_with_a_typed_error(
    header: dict[str, Any], said: dict[str, Any], is_signed: bool, cut: int
) -> None:
    token = by_hand(header, said)
    if is_signed:
        # Signed rightly, so that the claims are what is read.
        signed = by_hand({**header, "alg": "RS256", "kid": "rsa-1"}, said).rpartition(".")[0]
        algorithm = jwt.get_algorithm_by_name("RS256")
        signature = algorithm.sign(signed.encode(), PROVIDER.private["rsa-1"])
        token = f"{signed}.{jwt.utils.base64url_encode(signature).decode()}"
    for each in (token, token[:cut]):
        try:
            read = VERIFIER.verify(each)
        except (BadToken, KeyMissing):
            continue
        assert is_signed
        assert said["iss"] == ISSUER
        assert not read.actor.is_app_admin


@given(
    st.binary(max_size=200) | json_values.map(lambda value: json.dumps({"keys": [value]}).encode())
)
def test_whatever_a_key_set_is_it_is_read_or_refused(document: bytes) -> None:
    with suppress(BadKeySet):
        KeySet.parse(document)


def test_a_token_nested_deeper_than_the_parser_goes_is_refused() -> None:
    deep = by_hand({"alg": "RS256", "kid": "rsa-1"}, 0).split(".")
    payload = jwt.utils.base64url_encode(b"[" * 2_000).decode()
    for token in (f"{deep[0]}.{payload}.{deep[2]}", f"{payload}.{payload}.x"):
        with pytest.raises(BadToken):
            VERIFIER.verify(token)


async def test_no_more_wait_for_one_fetch_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.server.identity.keys.MOST_WAITING", 2)
    gate = asyncio.Event()

    async def load() -> bytes:
        await gate.wait()
        return PROVIDER.document

    keys = ProviderKeys(load, source="tests")
    waiting = [asyncio.create_task(keys.fetch_for_unknown()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(IdentityProviderUnavailable):
        await keys.fetch_for_unknown()
    waiting[0].cancel()  # a client that leaves ends the fetch for nobody else
    gate.set()
    await waiting[1]
    assert keys.is_loaded
    assert keys.age_seconds < RETRY_SECONDS
