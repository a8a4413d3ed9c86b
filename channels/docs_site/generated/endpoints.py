"""The endpoints of the API, without a database."""

from functools import cache
from typing import Any, cast

from channels.server.app import Services, endpoints_for
from groups.kernel.endpoint import Endpoint


class _NoServices:
    """Stands for all services: routes only keep them until they are called."""

    def __getattr__(self, name: str) -> Any:
        return self


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Every call of the API, in the order in which the server declares them."""
    return tuple(endpoints_for(cast(Services, _NoServices())))


def short_path(endpoint: Endpoint) -> str:
    """The path as the guides write it."""
    return endpoint.spec.path.removeprefix("/v1")


def code_of(endpoint: Endpoint) -> str:
    """The call as code, which the site links to its description."""
    return f"`{endpoint.spec.method} {short_path(endpoint)}`"


def anchor_of(tag: str) -> str:
    """The anchor of a tag's heading in the page of calls."""
    return tag.lower().replace(" ", "-")
