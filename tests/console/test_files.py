"""The web app's own files, read as text: what they must not hold, and what must agree with the server."""

import re
from pathlib import Path

from reactions.limits import BASIC_REACTIONS

STATIC = Path(__file__).parents[2] / "channels" / "console" / "static"


def test_the_picker_offers_what_basic_allows() -> None:
    script = (STATIC / "js" / "ui" / "reactions.js").read_text(encoding="utf-8")
    found = re.search(r"export const BASIC = \[(.*)\]", script)
    assert found is not None
    assert tuple(re.findall(r'"(.+?)"', found[1])) == BASIC_REACTIONS


def test_no_script_makes_markup_of_text() -> None:
    scripts = sorted(STATIC.rglob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, script.name


def test_no_script_needs_what_plain_http_lacks() -> None:
    """On a machine's own network there is no certificate, and so no `crypto.randomUUID`, clipboard or worker."""
    for script in sorted(STATIC.rglob("*.js")):
        code = re.sub(r"/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.DOTALL)
        for word in ("randomUUID", "crypto.subtle", "navigator.clipboard", "serviceWorker"):
            assert word not in code, script.name


def test_every_text_that_a_script_names_is_there_and_every_text_is_used() -> None:
    scripts = {path: path.read_text(encoding="utf-8") for path in sorted(STATIC.rglob("*.js"))}
    areas = {path: scripts.pop(path) for path in sorted((STATIC / "js" / "texts").rglob("*.js"))}
    keys = [key for text in areas.values() for key in re.findall(r'^  "([\w.]+)":', text, re.M)]
    known = set(keys)
    assert len(keys) == len(known)
    source = "\n".join(scripts.values())
    named = set(re.findall(r'\bt\(\s*"([\w.]+)"', source))
    assert named - known == set()
    starts = {start for start in re.findall(r"`([\w.]+)\$\{", source) if start.endswith(".")}
    quoted = set(re.findall(r'"([\w.]+)"', source))
    unused = {key for key in known - quoted if not any(key.startswith(start) for start in starts)}
    assert unused == set()


def test_styles_know_no_left_and_right() -> None:
    for sheet in sorted(STATIC.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        wrong = re.findall(r"(?:margin|padding|border|^|[\s;{])-?(left|right)\s*:", text)
        assert not wrong, sheet.name
