"""Webhooks are verified, tokens minted as the server does, and the client loads nothing of the server."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from standardwebhooks import Webhook

from channels.client import BadSignature, UnknownEvent, mint_token, parse_event, verify_webhook
from channels.client.event_models import MODELS, MessagePosted
from channels.client.tokens import Tokens, expires_at
from channels.event_views.shapes import EVENT_MODELS
from channels.server.tokens import mint
from tests import client_models
from tests.api import SECRET, Api

OLD, NEW, OTHER = "whsec_b2xkLXNlY3JldA==", "whsec_bmV3LXNlY3JldA==", "whsec_b3RoZXI="
EVENT: Final = {
    "event_id": "01",
    "type": "channel.deleted",
    "stream_id": "group_@TOA#_x",
    "conversation_id": "group_@TOA#_x",
    "channel_id": "@TOA#_x",
    "at": "2026-11-28T10:00:00.000Z",
}


def signed(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signature = Webhook(secret).sign("msg_1", at, body.decode())
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": signature,
    }


def test_a_webhook_of_the_server_is_an_event() -> None:
    body, now = json.dumps(EVENT).encode(), datetime.now(UTC)
    event = verify_webhook(NEW, signed(NEW, body, now), body)
    assert (event.type, event.event_id) == ("channel.deleted", "01")
    # While a secret is rotated both sign, or one of them.
    assert verify_webhook([NEW, OLD], signed(OLD, body, now), body) == event


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "no signature at all"},
        {"Webhook-Signature": "v1,*"},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "1e400"},
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": ""},
    ],
)
def test_a_forged_webhook_is_refused(change: dict[str, str]) -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(BadSignature):
        verify_webhook(NEW, signed(NEW, body, datetime.now(UTC)) | change, body)


def test_a_webhook_of_another_secret_body_or_time_is_refused() -> None:
    body, now = json.dumps(EVENT).encode(), datetime.now(UTC)
    headers = signed(NEW, body, now)
    for secret, given, content in (
        (OTHER, headers, body),
        (NEW, headers, body + b" "),
        (NEW, headers, b"\xff"),
        (NEW, signed(NEW, body, now - timedelta(minutes=6)), body),
        (NEW, signed(NEW, b"[]", now), b"[]"),
    ):
        with pytest.raises(BadSignature):
            verify_webhook(secret, given, content)


def test_an_event_that_is_not_known_is_kept() -> None:
    later = {"type": "post.translated", "at": EVENT["at"], "stream_id": None, "language": "pt"}
    event = parse_event(later)
    assert isinstance(event, UnknownEvent)
    assert (event.model_extra or {})["language"] == "pt"
    # A known type in a shape of tomorrow, and a known one with more fields.
    assert isinstance(parse_event({**EVENT, "channel_id": None}), UnknownEvent)
    assert not isinstance(parse_event({**EVENT, "reason": "closed"}), UnknownEvent)


def test_every_event_of_the_server_has_its_model() -> None:
    assert {model.__name__ for model in EVENT_MODELS} == {one.__name__ for one in MODELS.values()}
    assert MODELS["message.posted"] is MessagePosted


@pytest.mark.asyncio(loop_scope="module")
async def test_the_server_accepts_a_minted_token(shared_api: Api) -> None:
    user = shared_api.bearer(mint_token(SECRET, "ada"))
    assert (await user.get("/v1/users/me")).body["user_id"] == "ada"
    imported = await shared_api.bearer(mint_token(SECRET, "app", admin=True)).get(
        "/v1/channels?all=true"
    )
    assert imported.status == 200


@pytest.mark.parametrize(
    ("admin", "business"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_a_token_is_the_one_that_the_server_mints(admin: bool, business: bool) -> None:
    now = datetime.now(UTC)
    minted = mint_token(
        *(SECRET, "ada"),
        valid_for=timedelta(hours=2),
        admin=admin,
        business=business,
        now=now.timestamp(),
    )
    assert minted == mint(SECRET, "ada", admin=admin, business=business, hours=2, now=now)
    assert expires_at(minted) == pytest.approx(now.timestamp() + 7200, abs=1)


def test_a_token_needs_a_user_and_a_time() -> None:
    for user_id, hours in (("", 1), ("x" * 33, 1), ("ada", 0), ("ada", -1)):
        with pytest.raises(ValueError):
            mint_token(SECRET, user_id, valid_for=timedelta(hours=hours))
    assert mint_token(SECRET, "x" * 32)


async def test_a_token_is_replaced_before_it_expires() -> None:
    minted = [
        mint_token(SECRET, "ada", valid_for=timedelta(seconds=seconds)) for seconds in (5, 3600)
    ]
    given = iter(minted)
    tokens = Tokens(None, lambda: next(given))
    assert [await tokens.current() for _ in range(3)] == [minted[0], minted[1], minted[1]]
    assert tokens.renews_in_seconds(minted[1]) == pytest.approx(3570, abs=5)
    assert Tokens("no jwt", None).renews_in_seconds("no jwt") is None


def test_the_client_loads_nothing_of_the_server() -> None:
    program = (
        "import channels.client, sys;"
        "print([name for name in sys.modules if name.partition('.')[0] in"
        " {'motor', 'pymongo', 'bson', 'uvloop', 'PIL', 'groups', 'conversations', 'reactions'}"
        " or name.startswith(('channels.server', 'channels.service', 'channels.models'))])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_the_models_are_those_of_the_api() -> None:
    said = "the API has changed: python -m tests.client_models"
    assert client_models.MODELS.read_text(encoding="utf-8") == client_models.models(), said
    assert client_models.EVENTS.read_text(encoding="utf-8") == client_models.events(), said
