"""Ids: their types and alphabet, keys that are joined of ids, and new ids.

An id is printable text without control characters, surrogates, or space at its ends; ids are compared byte by byte.
`SEPARATOR` is a control character, so no id contains it, and a joined key can be taken apart in one way only.
"""

import base64
import hashlib
import secrets
from typing import Annotated, Final, NewType

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from groups.kernel.text.bounded import SchemaHint

UserId = NewType("UserId", str)
GroupId = NewType("GroupId", str)
StreamId = NewType("StreamId", str)

SEPARATOR: Final = "\x1f"
"""ASCII's unit separator, between the parts of a stored key such as `group<US>user`."""

PAIR_SEPARATOR: Final = "\x1e"
"""ASCII's record separator, between the two users in the id of a stream that is itself part of stored keys."""

USER_ID_BYTES: Final = 32  # the reference product's user ids
GROUP_ID_BYTES: Final = 48  # the reference product's group ids; the founding document's channel ids
ID_BYTES: Final = 128  # no id of any kind is longer; joined ones such as `group_<id>` included

UNSEEN: Final = r"\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
"""The inside of a character class: characters that no id contains. (A space may be inside, but not at the ends.)"""
ID_PATTERN: Final = rf"^(?!\.{{1,2}}$)[^ {UNSEEN}]([^{UNSEEN}]*[^ {UNSEEN}])?$"
"""The texts of `is_id`, as a portable pattern: exact for ASCII; beyond, it excludes common invisible characters."""


RESERVED_USER_IDS: Final = frozenset(
    {
        "me",  # in paths: the caller
        # Names under which the program itself writes messages, or to the admin log.
        "channels-automatic",
        "channels-import",
        "channels-revoke",
        "channels-update",
        "channels-verify",
        "channels-webhooks",
    }
)
"""Words that are not user ids: a token, body, path or import line with one is refused.

Users with these ids that an older version stored are still shown. A test walks the routes: every literal part of a path
is reserved here, or cannot be an id of the kind that stands in the same place.
"""
USER_ID_PATTERN: Final = (
    rf"^(?!({'|'.join(sorted(RESERVED_USER_IDS))})$)" + ID_PATTERN.removeprefix("^")
)
"""`ID_PATTERN` without the reserved words."""


def is_id(text: str, limit_bytes: int) -> bool:
    """Whether the text may be an id of at most `limit_bytes` UTF-8 bytes."""
    # isprintable() is false for control, format and surrogate characters, and for every space but " ".
    if not text or not text.isprintable() or text != text.strip() or text in {".", ".."}:
        return False
    return len(text.encode()) <= limit_bytes


def is_user_id(text: str) -> bool:
    """Whether the text may be a user's id: an id, and not a reserved word."""
    return text not in RESERVED_USER_IDS and is_id(text, USER_ID_BYTES)


def _checked(limit_bytes: int) -> AfterValidator:
    def check(text: str) -> str:
        if not is_id(text, limit_bytes):
            raise PydanticCustomError(
                "bad_id",
                "must be 1 to {limit_bytes} bytes of printable text without space at its ends",
                {"limit_bytes": limit_bytes},
            )
        return text

    return AfterValidator(check)


def _not_reserved(text: str) -> str:
    if text in RESERVED_USER_IDS:
        raise PydanticCustomError("reserved_id", "is a reserved word, which is no user's id")
    return text


UserIdText = Annotated[
    UserId,
    Field(examples=["ada"]),
    _checked(USER_ID_BYTES),
    AfterValidator(_not_reserved),
    SchemaHint(USER_ID_PATTERN, USER_ID_BYTES),
]
"""A user id in a request."""
AnyUserIdText = Annotated[
    UserId, Field(examples=["ada"]), _checked(USER_ID_BYTES), SchemaHint(ID_PATTERN, USER_ID_BYTES)
]
"""A user id or a reserved word: where `me` is the caller, or a user of an older version is read."""
PeerIdText = Annotated[
    str,
    Field(examples=["bob"]),
    _checked(GROUP_ID_BYTES),
    AfterValidator(_not_reserved),
    SchemaHint(USER_ID_PATTERN, GROUP_ID_BYTES),
]
"""A user's id, or a channel's in full."""
GroupIdText = Annotated[
    GroupId,
    Field(examples=["@TGS#_tea"]),
    _checked(GROUP_ID_BYTES),
    SchemaHint(ID_PATTERN, GROUP_ID_BYTES),
]
"""A group id in a request."""
AnyIdText = Annotated[
    str, Field(examples=["group_@TGS#_tea"]), _checked(ID_BYTES), SchemaHint(ID_PATTERN, ID_BYTES)
]
"""An id of any kind in a request."""


def user_or_caller(named: UserId, caller: UserId) -> UserId:
    """The user that a path names; `me` is the caller."""
    return caller if named == "me" else named


def join_key(*parts: str | int) -> str:
    """The parts as one stored key, between separators."""
    return SEPARATOR.join([str(part) for part in parts])


def mint_id(size_bytes: int = 10) -> str:
    """A new random id in lower-case base32: 16 characters for 10 bytes (80 bits, so no collision is to be expected)."""
    return base64.b32encode(secrets.token_bytes(size_bytes)).decode().rstrip("=").lower()


def derive_id(*parts: str) -> str:
    """The same 16 characters for the same parts, so that a creation with an idempotency key can be repeated."""
    digest = hashlib.sha256(SEPARATOR.join(parts).encode()).digest()
    return base64.b32encode(digest[:10]).decode().rstrip("=").lower()
