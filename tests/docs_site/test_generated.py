"""The generated parts of the guides are what the code says, and the code says it of everything."""

import re
from pathlib import Path
from typing import Final

import pytest

from channels.docs_site.generated.limit_tables import about_of
from channels.docs_site.generated.pages import (
    BLOCKS,
    COMMAND,
    DOCS,
    BadBlock,
    outdated,
    renewed,
    write,
)
from channels.docs_site.generated.tables import all_errors, readable, table
from channels.event_views.catalogue import SOCKET_EVENT_TYPES
from channels.event_views.examples import payloads
from channels.limits import Limits
from channels.server.settings import Settings
from tests.api import undescribed

CODES: Final = {error.code for error in all_errors()}


def test_the_committed_pages_are_what_the_code_says() -> None:
    pages = outdated(DOCS)
    assert not pages, f"{', '.join(pages)} differ from the code. Write them anew: {COMMAND}"


def test_every_block_is_in_a_guide_once() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    names = [name for text in texts for name in re.findall(r"<!-- generated: ([\w-]+) -->", text)]
    assert set(BLOCKS) <= set(names)


def test_an_outdated_block_is_found_and_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "reference" / "page.md"
    page.parent.mkdir()
    page.write_text(
        "# Page\n\n<!-- generated: problem -->\nold\n<!-- end of generated -->\n\nEnd.\n"
    )
    (tmp_path / "other.md").write_text("# Other\n")
    assert outdated(tmp_path) == write(tmp_path) == ["reference/page.md"]
    text = page.read_text()
    assert text.startswith("# Page\n\n<!-- generated: problem -->\n\n```json\n{")
    assert text.endswith("}\n```\n\n<!-- end of generated -->\n\nEnd.\n")
    assert outdated(tmp_path) == write(tmp_path) == []


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (
            "<!-- generated: nonsense -->\n<!-- end of generated -->",
            "no generated block 'nonsense'",
        ),
        ("<!-- generated: problem -->\ntext", "'problem' has no end"),
    ],
)
def test_a_bad_block_is_named(page: str, fault: str) -> None:
    with pytest.raises(BadBlock, match=fault):
        renewed(page)


def test_every_setting_and_limit_is_described() -> None:
    fields = {**Settings.model_fields, **Limits.model_fields}
    assert [name for name, field in fields.items() if not field.description] == []


def test_what_happens_beyond_a_limit_names_errors_that_exist() -> None:
    beyond = [about_of(field).beyond for field in Limits.model_fields.values()]
    assert all(beyond)
    assert {code for text in beyond for code in re.findall(r"`(\w+)`", text)} <= CODES


def test_every_error_says_what_a_client_does() -> None:
    assert [error.code for error in all_errors() if not getattr(error, "remedy", "")] == []


def test_tables_and_units() -> None:
    assert table(["a"], [["b |\nc"]]) == "| a |\n| --- |\n| b \\| c |"
    assert readable("image_bytes", 28 * 2**20) == "28 MiB"
    assert readable("unused_seconds", 86_400) == "1 day"
    assert readable("recall_seconds", 120) == "2 minutes"
    assert readable("name_bytes", 150) == readable("admins", 1024) == ""


def test_an_example_of_an_event_has_the_fields_that_the_catalogue_names() -> None:
    assert set(payloads()) == set(SOCKET_EVENT_TYPES)
    assert [
        undescribed(one) for forms in payloads().values() for one in forms if undescribed(one)
    ] == []
