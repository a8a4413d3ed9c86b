"""The parts of sending: the pace, the key of Web Push, its encryption, and what a browser or a gateway may answer."""

import base64
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)

from channels.push.models import WebPush
from channels.push.senders.pace import Pace
from channels.push.senders.vapid import (
    TOKEN_SECONDS,
    BadVapidKey,
    VapidKey,
    check_private_key,
    new_private_key,
)
from channels.push.senders.web_push import encrypted


class Time:
    """A time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("at_once", [1, 7, 100])
async def test_a_process_sends_as_many_a_second_as_it_may_and_a_second_more_at_first(
    at_once: int,
) -> None:
    time = Time()
    pace = Pace(50, time.monotonic, time.sleep)
    sent = 0
    while sent < 1_000:
        await pace.take(at_once)
        sent += at_once
    assert sent / 50 - 1 <= time.now - 1_000 + 1e-6 <= sent / 50
    time.now += 500
    before = time.now
    for _ in range(100 // at_once):
        await pace.take(at_once)
    assert time.now - before >= (100 // at_once * at_once) / 50 - 1 - 1e-6


async def test_without_a_limit_nobody_waits() -> None:
    time = Time()
    pace = Pace(0, time.monotonic, time.sleep)
    for _ in range(100):
        await pace.take(1_000)
    assert time.now == 1_000


def test_a_signature_is_for_one_push_service_and_used_until_it_is_half_over() -> None:
    key = VapidKey.from_text(new_private_key(), "mailto:ops@example.org")
    first, second, other = (
        key.authorization(f"https://{host}/send/1?x=1")
        for host in ("a.example", "a.example", "b.example:8443")
    )
    assert first == second != other
    token = other.removeprefix("vapid t=").partition(",")[0]
    raw = base64.urlsafe_b64decode(key.public_key + "=" * (-len(key.public_key) % 4))
    public_key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)
    claims: dict[str, Any] = jwt.decode(
        token, public_key, algorithms=["ES256"], audience="https://b.example:8443"
    )
    assert claims["sub"] == "mailto:ops@example.org"
    assert TOKEN_SECONDS <= 24 * 3_600  # RFC 8292, 2


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 43, "_" * 43, "B" * 41, "-----BEGIN PRIVATE KEY-----"]
)
def test_a_text_that_is_no_private_key_is_refused(text: str) -> None:
    check_private_key(new_private_key())
    with pytest.raises(BadVapidKey):
        check_private_key(text)


def test_a_browser_decrypts_what_was_encrypted_for_it() -> None:
    # The browser's keys of the example in RFC 8291, 5.
    target = WebPush(
        endpoint="https://push.example.net/x",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )
    number = int.from_bytes(
        base64.urlsafe_b64decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94="), "big"
    )
    text = b"When I grow up, I want to be a watermelon"
    body = encrypted(text, target)
    assert body != encrypted(text, target)
    assert text not in body
    plain = http_ece.decrypt(
        body,
        private_key=derive_private_key(number, SECP256R1()),
        auth_secret=base64.urlsafe_b64decode(target.auth + "=="),
        version="aes128gcm",
    )
    assert plain == text


def test_a_key_that_is_no_point_of_the_curve_is_an_error_of_that_device() -> None:
    point = base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).decode().rstrip("=")
    target = WebPush(endpoint="https://push.example.net/x", p256dh=point, auth="A" * 22)
    with pytest.raises(ValueError, match="Invalid EC key"):
        encrypted(b"x", target)
