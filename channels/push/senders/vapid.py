"""The key with which this deployment signs its Web Push requests (VAPID, RFC 8292).

Browsers subscribe with its public part, and push services accept messages for the subscription only with signatures of
it. So the key must stay the same: with another one, every subscription is worthless.
"""

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

import jwt
from cachetools import TTLCache
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES: Final = 32
TOKEN_SECONDS: Final = 12 * 3_600
"""How long a signature is valid; push services refuse more than a day."""
_KEPT_SECONDS: Final = 6 * 3_600
_KEPT_ORIGINS: Final = 1_000
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class BadVapidKey(ValueError):
    """The text is no private key of P-256."""


@dataclass(frozen=True, slots=True)
class VapidKey:
    """A private key of P-256, and the contact that push services may complain to: a `mailto:` or `https:` address."""

    private_key: EllipticCurvePrivateKey
    subject: str
    seconds: Callable[[], float] = time.time
    _tokens: TTLCache[str, str] = field(
        default_factory=lambda: TTLCache(_KEPT_ORIGINS, _KEPT_SECONDS), init=False
    )

    @classmethod
    def from_text(cls, text: str, subject: str) -> Self:
        """The key of this text, 32 bytes in base64url, as most libraries write it. Raises: BadVapidKey."""
        return cls(_private_key(text), subject)

    @property
    def public_key(self) -> str:
        """The application server key with which browsers subscribe, in base64url without padding."""
        return _base64url(
            self.private_key.public_key().public_bytes(
                Encoding.X962, PublicFormat.UncompressedPoint
            )
        )

    def authorization(self, endpoint: str) -> str:
        """The `Authorization` header of a request to this endpoint. Signatures are kept, one for each push service."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        token = self._tokens.get(origin)
        if token is None:
            claims = {
                "aud": origin,
                "exp": int(self.seconds()) + TOKEN_SECONDS,
                "sub": self.subject,
            }
            token = self._tokens[origin] = jwt.encode(claims, self.private_key, algorithm="ES256")
        return f"vapid t={token}, k={self.public_key}"


def new_private_key() -> str:
    """A new private key, as `VapidKey.from_text` reads it."""
    number = generate_private_key(SECP256R1()).private_numbers().private_value
    return _base64url(number.to_bytes(KEY_BYTES, "big"))


def check_private_key(text: str) -> None:
    """Raises: BadVapidKey."""
    _private_key(text)


def _private_key(text: str) -> EllipticCurvePrivateKey:
    bare = text.strip().rstrip("=")
    try:
        raw = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    number = int.from_bytes(raw, "big")
    if len(raw) != KEY_BYTES or not 0 < number < _P256_ORDER:
        raise BadVapidKey("must be 32 bytes in base64url: a private key of P-256")
    return derive_private_key(number, SECP256R1())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
