"""Raises the limit of open files: the soft limit of shells is too low for servers.

Promises: `raise_open_files` never lowers the limit and never fails. Child processes inherit the limit, so it is raised
before a `mongod` starts: WiredTiger keeps a file open for each collection and index, and the whole `mongod` ends when
it cannot open another (error 24).
"""

import resource
from contextlib import suppress
from typing import Final

MONGOD_NEEDS: Final = 2_048
"""Open files of an embedded `mongod`: about 200 for its data, and one for each connection (at most 100 a process)."""

_FALLBACKS: Final = (1_048_576, 65_536, 10_240)
"""Tried when the kernel refuses the hard limit. macOS reports "unlimited" and accepts its OPEN_MAX, 10,240."""


def raise_open_files() -> int:
    """Raise the soft limit of this process to the hard one. Returns the limit now in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, *_FALLBACKS):
        if _count(soft) < _count(wanted) <= _count(hard):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return _count(wanted)
    return _count(soft)


def too_few(allowed: int, needed: int) -> str:
    """Return the message for a hard limit that is too low."""
    return (
        f"The system allows this process {allowed} open files; {needed} or more are needed."
        f" Raise the hard limit: `ulimit -Hn {needed}` as root, LimitNOFILE={needed} in a systemd unit,"
        f" --ulimit nofile={needed} for Docker, or `nofile` in /etc/security/limits.conf."
    )


def _count(limit: int) -> int:
    return 2**63 - 1 if limit == resource.RLIM_INFINITY else limit
