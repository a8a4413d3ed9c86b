"""The declarations that the scripts of the web app are checked against say what the server does."""

import re

from channels.event_views.catalogue import EVENT_TYPES
from tests.api_types import DECLARATIONS, declarations

SHARED = DECLARATIONS.with_name("app.d.ts")


def test_the_declarations_of_the_api_are_those_of_the_code() -> None:
    assert DECLARATIONS.read_text(encoding="utf-8") == declarations(), (
        "The API has changed: run `python -m tests.api_types`, then `npm run check` in channels/."
    )


def test_the_declarations_of_events_name_every_type_and_no_other() -> None:
    text = SHARED.read_text(encoding="utf-8").rpartition("type Event =")[2]
    assert sorted(re.findall(r'"(\w+\.\w+)"', text)) == sorted(EVENT_TYPES)
