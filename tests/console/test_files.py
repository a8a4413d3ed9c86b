"""Checks of the web app's files as text: forbidden constructs, texts, and values that must equal the server's."""

import re
from pathlib import Path

from channels.console.assets import without_comments
from channels.event_views.public import CHANNEL_EVENT_TYPES, PUBLIC_EVENT_TYPES
from reactions.limits import BASIC_REACTIONS

STATIC = Path(__file__).parents[2] / "channels" / "console" / "static"


def test_the_picker_and_the_server_agree_on_basic_reactions() -> None:
    script = (STATIC / "js" / "ui" / "reactions.js").read_text(encoding="utf-8")
    found = re.search(r"export const BASIC = \[(.*)\]", script)
    assert found is not None
    assert tuple(re.findall(r'"(.+?)"', found[1])) == BASIC_REACTIONS


def test_the_console_offers_the_events_that_webhooks_may_receive() -> None:
    script = (STATIC / "js" / "console" / "webhooks" / "event_types.js").read_text(encoding="utf-8")
    of_channel, of_application = (
        set(re.findall(r'"([a-z_]+\.[a-z_]+)"', part))
        for part in script.split("const OF_APPLICATION")
    )
    assert of_channel == set(CHANNEL_EVENT_TYPES)
    assert of_channel | of_application == set(PUBLIC_EVENT_TYPES)


def test_no_script_turns_text_into_markup() -> None:
    scripts = sorted(STATIC.rglob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, script.name


def test_no_script_needs_a_secure_context() -> None:
    """On plain HTTP in a private network, browsers offer no `crypto.randomUUID`, clipboard or service worker."""
    device = STATIC / "js" / "device"
    assert "isSecureContext &&" in (device / "service_worker.js").read_text(encoding="utf-8")
    for script in sorted(set(STATIC.rglob("*.js")) - set(device.glob("*.js"))):
        code = re.sub(r"/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.DOTALL)
        for word in ("randomUUID", "crypto.subtle", "navigator.clipboard", "serviceWorker"):
            assert word not in code, script.name


def test_every_named_text_exists_and_every_text_is_used() -> None:
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


def test_lines_of_comments_can_be_left_out_of_what_is_served() -> None:
    """No line that looks like a comment is inside of a text that goes on over several lines."""
    for script in sorted(STATIC.rglob("*.js")):
        lines = script.read_text(encoding="utf-8").split("\n")
        kept = without_comments("\n".join(lines)).split("\n")
        assert len(kept) == len(lines), script.name
        ticks = 0
        for line, left in zip(lines, kept, strict=True):
            assert left == line or ticks % 2 == 0, (script.name, line)
            # Backticks of strings, of regular expressions and behind a backslash begin no text.
            code = re.sub(
                r'"[^"\n]*"|(?<=[=(] )/(?:[^/\\\n]|\\.)+/|(?<=[=(])/(?:[^/\\\n]|\\.)+/|\\`',
                "",
                left,
            )
            ticks += code.count("`")
    text = "/** One\n * two */\na(); // three\n  // four\n/* five */ b();\n`//`\n"
    assert without_comments(text) == "\n\na(); // three\n\n b();\n`//`\n"


def test_styles_use_logical_properties_only() -> None:
    for sheet in sorted(STATIC.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        wrong = re.findall(r"(?:margin|padding|border|^|[\s;{])-?(left|right)\s*:", text)
        assert not wrong, sheet.name
