"""Reads the JSON Web Key Set of an identity provider (RFC 7517), and finds the key of a token in it.

Promises:
    A key verifies the algorithms of its own type only, so a public key is never the secret of an HMAC.
    Only public keys for signatures are taken: none that is symmetric, private, for encryption, or too short.
    A key that cannot be used is left out; the others stay good. What comes of a hostile set is a `BadKeySet`.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHMS: Final = frozenset({"RS256", "PS256", "ES256", "EdDSA"})
"""What a provider's tokens may be signed with."""
KEY_SET_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 100
RSA_BITS: Final = range(2_048, 8_193)

_FITTING: Final[Mapping[tuple[str, str | None], frozenset[str]]] = {
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
"""The algorithms that a type of key fits, by `kty` and `crv`."""
_PUBLIC_MEMBERS: Final = ("kty", "crv", "n", "e", "x", "y")

log = logging.getLogger(__name__)


class BadKeySet(Exception):
    """The document is no key set."""


class _Unusable(Exception):
    """A key of the set cannot verify tokens here."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A public key of the provider."""

    key_id: str | None
    """Its `kid`."""
    thumbprint: str
    """Of the key itself and of what it may do: a key with another material, or for other algorithms, is another key."""
    algorithms: frozenset[str]
    key: Any
    """As PyJWT takes it."""


class KeySet:
    """The usable keys of a set."""

    def __init__(self, keys: Iterable[ProviderKey] = ()) -> None:
        self.by_thumbprint: Final = {key.thumbprint: key for key in keys}
        self._by_id: defaultdict[str | None, list[ProviderKey]] = defaultdict(list)
        for key in self.by_thumbprint.values():
            self._by_id[key.key_id].append(key)

    @classmethod
    def parse(cls, document: bytes) -> Self:
        """Read the document of a provider. Raises: BadKeySet."""
        try:
            parsed: Any = orjson.loads(document)
        except ValueError as error:
            raise BadKeySet("it is not JSON") from error
        listed: Any = parsed.get("keys") if isinstance(parsed, dict) else None
        if not isinstance(listed, list):
            raise BadKeySet("it has no list `keys`")
        if len(listed) > MOST_KEYS:
            raise BadKeySet(f"it has more than {MOST_KEYS} keys")
        keys: list[ProviderKey] = []
        for number, each in enumerate(listed):
            try:
                keys.append(_key_of(each))
            except _Unusable as reason:
                log.info("key %d of the identity provider is not used: %s", number, reason)
        return cls(keys)

    def find(self, key_id: str | None, algorithm: str) -> ProviderKey | None:
        """The key that a token names, if it fits the token's algorithm.

        A token that names none is good for a set with a single key that fits: which one it meant is not a guess then.
        """
        named = self.by_thumbprint.values() if key_id is None else self._by_id.get(key_id, ())
        fitting = [key for key in named if algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 else None


def _key_of(described: Any) -> ProviderKey:
    if not isinstance(described, dict):
        raise _Unusable("it is not an object")
    kind, curve = described.get("kty"), described.get("crv")
    fitting = (
        _FITTING.get((kind, curve)) if isinstance(kind, str) and _is_text_or_none(curve) else None
    )
    if fitting is None:
        raise _Unusable("its type is not RSA, P-256 or Ed25519")
    if "d" in described:
        raise _Unusable("it is a private key, which the provider must not show")
    if described.get("use", "sig") != "sig":
        raise _Unusable("its `use` is not `sig`")
    operations = described.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _Unusable("its `key_ops` lack `verify`")
    algorithm = described.get("alg")
    if algorithm is not None:
        fitting = fitting & {algorithm} if isinstance(algorithm, str) else frozenset[str]()
    if not fitting:
        raise _Unusable(f"its `alg` is none of {', '.join(sorted(ALGORITHMS))} for this type")
    key_id = described.get("kid")
    if not _is_text_or_none(key_id):
        raise _Unusable("its `kid` is not text")
    try:
        key = jwt.PyJWK(described, algorithm=min(fitting)).key
    # Any error: cryptography raises several kinds for numbers that are no key.
    except Exception as error:
        raise _Unusable(f"it cannot be read ({type(error).__name__})") from error
    if isinstance(key, RSAPublicKey) and key.key_size not in RSA_BITS:
        raise _Unusable(f"an RSA key has {RSA_BITS.start} to {RSA_BITS.stop - 1} bits")
    members = {name: described.get(name) for name in _PUBLIC_MEMBERS}
    said = orjson.dumps([key_id, sorted(fitting), members], option=orjson.OPT_SORT_KEYS)
    return ProviderKey(key_id, hashlib.sha256(said).hexdigest(), fitting, key)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)
