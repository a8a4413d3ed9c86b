"""An identity provider of tests: keys that rotate, tokens that it signs, and a server of its own for its key set."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from channels.server.identity.options import ProviderOptions

ISSUER: Final = "https://login.example/realms/tea"
AUDIENCE: Final = "channels"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def a_private_key(kind: str) -> PrivateKey:
    match kind:
        case "EC":
            return ec.generate_private_key(ec.SECP256R1())
        case "OKP":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def public_jwk(key: PrivateKey, **members: Any) -> dict[str, Any]:
    """The public part as a JWK; a member that is None is left out."""
    if isinstance(key, rsa.RSAPrivateKey):
        described = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        described = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        described = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    described.pop("key_ops", None)
    whole = {**described, "use": "sig", **members}
    return {name: value for name, value in whole.items() if value is not None}


class Provider:
    """The provider: its listed keys, and how it answers."""

    def __init__(self) -> None:
        self.private: dict[str, PrivateKey] = {}
        self.listed: list[dict[str, Any]] = []
        self.url = ""
        self.fetches = 0
        self.status = 200
        self.body: bytes | None = None
        self.headers: dict[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        """While it is cleared, the provider does not answer."""
        self.add("rsa-1", "RSA")

    def add(self, key_id: str, kind: str, **members: Any) -> None:
        """List a new key."""
        self.private[key_id] = key = a_private_key(kind)
        self.listed.append(public_jwk(key, kid=key_id, **members))

    def withdraw(self, key_id: str) -> None:
        self.listed = [key for key in self.listed if key.get("kid") != key_id]

    @property
    def document(self) -> bytes:
        return json.dumps({"keys": self.listed}).encode()

    def token(
        self,
        user: str = "ada",
        *,
        key_id: str = "rsa-1",
        algorithm: str = "RS256",
        headers: Mapping[str, Any] | None = None,
        now: datetime | None = None,
        **claims: Any,
    ) -> str:
        """A token by one of the keys; a claim that is None is left out."""
        seconds = (now or datetime.now(UTC)).timestamp()
        whole = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user,
            "iat": seconds,
            "exp": int(seconds) + 3_600,
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in whole.items() if value is not None},
            self.private[key_id],
            algorithm=algorithm,
            headers={"kid": key_id, **(headers or {})},
        )

    def options(self, **changes: Any) -> ProviderOptions:
        whole = {"keys": self.url, "issuers": (ISSUER,), "audiences": (AUDIENCE,), **changes}
        return ProviderOptions(**whole)


@asynccontextmanager
async def a_provider() -> AsyncIterator[Provider]:
    """A provider on a port of this machine."""
    provider = Provider()

    async def answer(request: web.BaseRequest) -> web.Response:
        provider.fetches += 1
        await provider.gate.wait()
        body = provider.document if provider.body is None else provider.body
        return web.Response(status=provider.status, body=body, headers=provider.headers)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    provider.url = f"http://{host}:{port}/keys"
    try:
        yield provider
    finally:
        provider.gate.set()
        await runner.cleanup()


def by_hand(header: object, claims: object, signature: bytes = b"x") -> str:
    """A token of these parts, whatever they are."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts)
