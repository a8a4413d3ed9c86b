"""The index of events, and a section for each."""

from collections.abc import Mapping

from channels.docs_site.generated.event_examples import example
from channels.docs_site.generated.tables import table
from channels.event_views.catalogue import CATALOGUE, EventAbout


def event_index() -> str:
    """The types of events, each with its moment."""
    rows = [
        [f"[`{name}`](#{_anchor(name)})", about.when, about.receivers]
        for name, about in CATALOGUE.items()
    ]
    return table(["Event", "When", "Receivers"], rows)


def events() -> str:
    """A section for each type of event."""
    return "\n\n".join(_section(name, about) for name, about in CATALOGUE.items())


def _section(name: str, about: EventAbout) -> str:
    rows = [*_rows(about.fields, "always"), *_rows(about.sometimes, "sometimes")]
    parts = [f"### `{name}`", f"{about.when} Receivers: {about.receivers}."]
    if rows:
        parts.append(table(["Field", "Type", "", "Meaning"], rows))
    parts.append(f"```json\n{example(name)}\n```")
    return "\n\n".join(parts)


def _rows(fields: Mapping[str, tuple[str, str]], how_often: str) -> list[list[str]]:
    return [[f"`{name}`", kind, how_often, meaning] for name, (kind, meaning) in fields.items()]


def _anchor(name: str) -> str:
    return name.replace(".", "")
