"""How many different users saw a post, without keeping who: exact while they are few, within 2 % when they are many.

Definition: a view is one user who reported having seen the post, however often and from however many devices he did.
The read cursor was the other choice, and says something else: it moves over whatever lies below it, seen or not,
strangers who read a public channel have none, and the number of cursors beyond a seq is a count of a million.

Up to `EXACT` users the sketch holds a hash of 64 bits of each, so 3 viewers are 3: two of 512 share one with a chance
of 1 in 10^14. Beyond, it is a HyperLogLog of 4,096 registers, made from the same hashes: standard error
1.04 / sqrt(4096) = 1.6 %, so 95 of 100 numbers are within 3.3 %, at any size. Its estimator is Ertl's improved one
(arXiv:1702.01284), which needs no table of corrections and never falls when a viewer is added. (`datasketch` would
bring numpy and scipy along for these sixty lines.)

Size: at most 4,096 bytes a post, for a thousand viewers as for a million. A million viewers of a post cost a million
reports, batched by up to 256; of a repeated report nothing is written.

Inflating: the hash is keyed by a salt of the post's own, random and never shown, so nobody can choose user ids that
count for more. One user counts once. Who can make users can make views; making users is the application's to refuse.
The salt is the post's and not the deployment's signing key, because that key may be replaced, and everyone would count
again. Nobody can be listed from a sketch; with salt and registers in hand, a guessed user can at most be ruled out
(while it is exact: be confirmed).
"""

import math
import struct
from collections.abc import Iterable
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

HASH_BYTES: Final = 8
EXACT: Final = 512  # users whose hashes take as many bytes as the registers do
REGISTERS: Final = 4_096
SALT_BYTES: Final = 16

_RANK_BITS: Final = 52  # of the 64; the other 12 choose the register
_LOW: Final = (1 << _RANK_BITS) - 1
_ALPHA: Final = 1 / (2 * math.log(2))


def new_salt() -> bytes:
    """The key of a new post's hashes."""
    return token_bytes(SALT_BYTES)


def hash_of(user_id: str, salt: bytes) -> int:
    """What stands for the user in the sketch of the post that has this salt."""
    return int.from_bytes(
        blake2b(user_id.encode(), digest_size=HASH_BYTES, key=salt).digest(), "big"
    )


class HyperLogLog:
    """A set of hashes that can be added to, merged and counted, not listed. Merging is commutative and idempotent."""

    __slots__ = ("_hashes", "_registers")

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self._hashes: set[int] = set()
        self._registers: bytearray | None = None
        for one in hashes:
            self.add(one)

    @classmethod
    def from_bytes(cls, data: bytes, *, is_exact: bool) -> "HyperLogLog":
        """The sketch that `to_bytes` told."""
        sketch = cls()
        if is_exact:
            sketch._hashes = set(struct.unpack(f">{len(data) // HASH_BYTES}Q", data))
        else:
            sketch._registers = bytearray(data)
        return sketch

    def to_bytes(self) -> bytes:
        """The sketch as it is stored; the same for the same viewers, whatever the order in which they came."""
        if self._registers is not None:
            return bytes(self._registers)
        return struct.pack(f">{len(self._hashes)}Q", *sorted(self._hashes))

    @property
    def is_exact(self) -> bool:
        """Whether `count` is the number itself."""
        return self._registers is None

    def add(self, one: int) -> bool:
        """Count one more; whether the sketch changed: never for one that was added before."""
        registers = self._registers
        if registers is None:
            if one in self._hashes:
                return False
            self._hashes.add(one)
            if len(self._hashes) > EXACT:
                self._condense()
            return True
        place, rank = one >> _RANK_BITS, _RANK_BITS + 1 - (one & _LOW).bit_length()
        if registers[place] >= rank:
            return False
        registers[place] = rank
        return True

    def merge(self, other: "HyperLogLog") -> None:
        """Count everyone whom the other counts too."""
        if other._registers is None:
            for one in other._hashes:
                self.add(one)
            return
        self._condense()
        assert self._registers is not None
        self._registers = bytearray(map(max, self._registers, other._registers))

    def _condense(self) -> None:
        if self._registers is not None:
            return
        self._registers, hashes = bytearray(REGISTERS), self._hashes
        self._hashes = set()
        for one in hashes:
            self.add(one)

    def count(self) -> int:
        """How many there are: exactly up to `EXACT`, an estimate beyond."""
        if self._registers is None:
            return len(self._hashes)
        return round(_estimate(bytes(self._registers)))


def _estimate(registers: bytes) -> float:
    """Ertl's improved estimator (algorithm 6 of the paper)."""
    counts = [registers.count(rank) for rank in range(_RANK_BITS + 2)]
    m = float(REGISTERS)
    z = m * _tau(1 - counts[_RANK_BITS + 1] / m)
    for rank in range(_RANK_BITS, 0, -1):
        z = 0.5 * (z + counts[rank])
    z += m * _sigma(counts[0] / m)
    return _ALPHA * m * m / z


def _sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x *= x
        before = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in {0.0, 1.0}:
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3
