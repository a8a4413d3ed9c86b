"""The declarations that the scripts of the web app are checked against say what the server does."""

import re

from channels.event_views.catalogue import EVENT_TYPES
from tests.api_types import DECLARATIONS, SDK_DECLARATIONS, declarations, sdk_declarations


def test_the_declarations_of_the_api_are_those_of_the_code() -> None:
    assert DECLARATIONS.read_text(encoding="utf-8") == declarations(), (
        "The API has changed: run `python -m tests.api_types`, then `npm run check` in channels/."
    )
    assert SDK_DECLARATIONS.read_text(encoding="utf-8") == sdk_declarations()


def test_the_declarations_of_events_name_every_type_and_no_other() -> None:
    types = SDK_DECLARATIONS.with_name("channels.d.ts").read_text(encoding="utf-8")
    text = types.rpartition("export type Event =")[2].partition("export type Frame =")[0]
    assert sorted(re.findall(r'"(\w+\.\w+)"', text)) == sorted(EVENT_TYPES)
