"""The report of an import, printed for a dry run too: what it takes over, and what not and why, with examples."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

EXAMPLES: Final = 3
"""Examples of one kind that are kept; all are counted."""


@dataclass(slots=True)
class NotTaken:
    """All that is not taken over for one reason."""

    number: int = 0
    places: int = 0
    """In how many places of the file it was."""
    last: str = ""
    """The last place."""
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """The report of one import. Kinds are words in the plural, such as `photos`."""

    source: str
    """The format that was read."""
    title: str = "Taken over:"
    """The kinds that `taken` counts."""
    taken: Counter[str] = field(default_factory=Counter)
    not_taken: dict[tuple[str, str], NotTaken] = field(default_factory=dict)
    """By kind and reason."""
    changed: dict[tuple[str, str], NotTaken] = field(default_factory=dict)
    """Counts of all that is taken over in another form, by kind and how."""

    def take(self, kind: str, number: int = 1) -> None:
        """Count what is taken over."""
        self.taken[kind] += number

    def leave(self, kind: str, reason: str, place: str, number: int = 1) -> None:
        """Count what is not taken over; `place` says where in the file it is."""
        _note(self.not_taken, kind, reason, place, number)

    def change(self, kind: str, how: str, place: str) -> None:
        """Count what is taken over in another form."""
        _note(self.changed, kind, how, place, 1)

    def lines(self) -> list[str]:
        """The report as lines of text."""
        found = [f"Format: {self.source}", self.title]
        found += [f"  {number:>9,}  {kind}" for kind, number in self.taken.items() if number]
        if not self.taken.total():
            found.append("          0  nothing")
        for title, notes in (
            ("Taken over in another form:", self.changed),
            ("Not taken over:", self.not_taken),
        ):
            if notes:
                found.append(title)
            for (kind, why), note in sorted(notes.items()):
                examples = ", ".join(note.examples)
                more = ", …" if note.places > len(note.examples) else ""
                where = f" ({examples}{more})" if examples else ""
                found.append(f"  {note.number:>9,}  {kind}: {why}{where}")
        return found


def _note(
    notes: dict[tuple[str, str], NotTaken], kind: str, why: str, place: str, number: int
) -> None:
    note = notes.setdefault((kind, why), NotTaken())
    note.number += number
    note.places += place != note.last
    note.last = place
    if place and len(note.examples) < EXAMPLES and place not in note.examples:
        note.examples.append(place)
