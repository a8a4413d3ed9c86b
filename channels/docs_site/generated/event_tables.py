"""The index of events, and a section for each."""

from collections.abc import Mapping

from channels.docs_site.generated.tables import table
from channels.event_views.catalogue import CATALOGUE, EventAbout
from channels.event_views.examples import as_lines, payloads, public_payloads
from channels.event_views.public import CHANNEL_EVENT_TYPES, PUBLIC_EVENT_TYPES


def event_index() -> str:
    """The types of events, each with its moment."""
    rows = [
        [f"[`{name}`](#{_anchor(name)})", about.when, about.receivers, _back_ends_of(name)]
        for name, about in CATALOGUE.items()
    ]
    return table(["Event", "When", "Receivers on the socket", "Back ends"], rows)


def _back_ends_of(name: str) -> str:
    """Which webhooks and feeds have the type: those of a channel have fewer than those of the application."""
    if name in CHANNEL_EVENT_TYPES:
        return "application, channel"
    return "application" if name in PUBLIC_EVENT_TYPES else "none"


def events() -> str:
    """A section for each type of event."""
    return "\n\n".join(_section(name, about) for name, about in CATALOGUE.items())


def _section(name: str, about: EventAbout) -> str:
    rows = [*_rows(about.fields, "always"), *_rows(about.sometimes, "sometimes")]
    parts = [f"### `{name}`", f"{about.when} Receivers: {about.receivers}."]
    if rows:
        parts.append(table(["Field", "Type", "", "Meaning"], rows))
    # Of several forms, that of a channel. Some events only back ends receive.
    shown = (payloads().get(name) or public_payloads()[name])[0]
    parts.append(f"```json\n{as_lines(shown)}\n```")
    for public in public_payloads().get(name, ())[:1]:
        if public.keys() != shown.keys():
            parts.append(f"To back ends:\n\n```json\n{as_lines(public)}\n```")
    return "\n\n".join(parts)


def _rows(fields: Mapping[str, tuple[str, str]], how_often: str) -> list[list[str]]:
    return [[f"`{name}`", kind, how_often, meaning] for name, (kind, meaning) in fields.items()]


def _anchor(name: str) -> str:
    return name.replace(".", "")
