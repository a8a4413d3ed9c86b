"""Hints for requests whose path is nearly right, from the path alone, so they reveal nothing of what is stored."""

import re
from typing import Final

from channels.server.web.problems import RouteNotFound, WrongMethod
from channels.server.web.router import Router
from groups.kernel.errors import DomainError, NotFound

_CUT_ID: Final = re.compile(r"/(?:@|%40)T[A-Z]{2}/?$", re.IGNORECASE)
"""The end of a path that a client cut off at the `#` of an id: `@TOA` of `@TOA#_news`."""
_SHOWN_CHARACTERS: Final = 200
_PREFIX: Final = "/v1"
_CODED: Final = (
    "In a path, write `#` as `%23` (`/v1/channels/%40TOA%23_news`), or leave out `@TOA#_` of a channel"
    " (`/v1/channels/news`): everything after a `#` is no part of the path"
)


def hint_for(error: DomainError, router: Router, method: str, target: str) -> str | None:
    """What the caller may have meant, where the path of the request (`target`, as it was sent) is to blame."""
    if not isinstance(error, NotFound | WrongMethod):
        return None
    path, _, _ = target.partition("?")
    if "#" in path or _CUT_ID.search(path):
        return _CODED
    if not isinstance(error, RouteNotFound | WrongMethod):
        return None
    whole = path.rstrip("/")
    if whole != path and _exists(router, method, whole):
        return f"Leave out the slash at the end: `{whole[:_SHOWN_CHARACTERS]}`"
    if not path.startswith(f"{_PREFIX}/") and _exists(router, method, _PREFIX + whole):
        return f"The calls of the API begin with `/v1`: `{(_PREFIX + whole)[:_SHOWN_CHARACTERS]}`"
    return None


def _exists(router: Router, method: str, path: str) -> bool:
    try:
        router.find(method, path)
    except (RouteNotFound, WrongMethod):
        return False
    return True
