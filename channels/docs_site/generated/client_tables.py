"""The calls of the Python client, a table for each resource, from the signatures and docstrings of its methods."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

from channels.client.resources.back_end import Devices, Events, Webhooks
from channels.client.resources.broadcasts import Broadcasts
from channels.client.resources.channels import Channels
from channels.client.resources.comments import Comments
from channels.client.resources.conversations import Conversations, Inbox
from channels.client.resources.groups import Groups
from channels.client.resources.invite_links import InviteLinks
from channels.client.resources.media import Uploads, Users
from channels.client.resources.moderation import Moderation
from channels.client.resources.posts import Posts
from channels.client.resources.self_service import SelfService
from channels.client.resources.subscriber_tags import TagsOfSubscribers
from channels.docs_site.generated.tables import docstring_of, table

RESOURCES: Final[tuple[tuple[str, type[Any]], ...]] = (
    ("channels", Channels),
    ("posts", Posts),
    ("comments", Comments),
    ("conversations", Conversations),
    ("inbox", Inbox),
    ("self_service", SelfService),
    ("subscriber_tags", TagsOfSubscribers),
    ("broadcasts", Broadcasts),
    ("groups", Groups),
    ("invite_links", InviteLinks),
    ("media", Uploads),
    ("users", Users),
    ("moderation", Moderation),
    ("events", Events),
    ("webhooks", Webhooks),
    ("devices", Devices),
)
"""The attributes of a client, and the classes of their calls."""

_NAMED: Final = re.compile(r"^`client[^`]*`[.:] ?")
_MODULES: Final = re.compile(r"\b(?:channels|typing|typing_extensions|collections)\.[\w.]*\.")


def client_calls() -> str:
    """A heading and a table for each resource."""
    return "\n\n".join(_section(name, kind) for name, kind in RESOURCES)


def _section(name: str, kind: type[Any]) -> str:
    about = _NAMED.sub("", " ".join((inspect.getdoc(kind) or "").split()))
    rows = [
        (f"`{_call(name, method, function)}`", _returns(function), docstring_of(function))
        for method, function in _methods(kind)
    ]
    intro = f"{about[:1].upper()}{about[1:]}\n\n" if about else ""
    return f"### client.{name}\n\n{intro}{table(('Call', 'Returns', ''), rows)}"


def _methods(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    for name, function in vars(kind).items():
        if inspect.isfunction(function) and (name == "__call__" or not name.startswith("_")):
            yield name, function


def _call(resource: str, method: str, function: Any) -> str:
    fields = [
        f"**{field.name}" if field.kind is field.VAR_KEYWORD else field.name
        for field in list(inspect.signature(function).parameters.values())[1:]
    ]
    return f"{resource if method == '__call__' else method}({', '.join(fields)})"


def _returns(function: Any) -> str:
    kind = inspect.signature(function).return_annotation
    text = _MODULES.sub("", kind if isinstance(kind, str) else inspect.formatannotation(kind))
    if text.startswith("Paged["):
        text = f"list of {_first_of(text)}"
    return "" if text in {"None", ""} else f"`{text.replace('|', 'or')}`"


def _first_of(paged: str) -> str:
    """`Post` of `Paged[Post, PostPage]`."""
    inner, depth = paged[len("Paged[") : -1], 0
    for place, letter in enumerate(inner):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            return inner[:place]
    return inner
