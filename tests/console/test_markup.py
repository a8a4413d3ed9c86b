"""The marks in texts: the shared table of cases, and time that is linear in hostile texts.

The scripts are held to the same table in `tests/browser/test_markup.py`.
"""

import json
import re
import time
from pathlib import Path
from typing import Any, Final

from channels.console.markup_html import markup_html
from groups.kernel.text.markup import Block, ListBlock, QuoteBlock, parse_markup, plain_text

CASES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "markup_cases.json").read_text(encoding="utf-8")
)
SIZE: Final = 12 * 1024  # bytes: as long as a message may be
HOSTILE: Final = (
    "*", "**", "_", "~~", "`", "[", "]", "](", "[a](", "[a](http://x.example", "\\", ">", "> ", "- ",
    "*a ", "*a* ", "a*b*", "**a *b ", "`a``b", "```\n", "```\na\n```\n", "http://@", "http://x.example/(",
    "http://x.example/)", "https://a", "[[a](http://x.example)", "***a", "a***", "  - a\n", "1. a\n  - b\n",
    "\n", " \n", "> > > a\n", "h", "http:", "[*a](", "~~a ", "x ~~a~~", "**a** ", "*a _b ~~c ",
)  # fmt: skip


def test_the_table_of_cases_holds() -> None:
    for case in CASES:
        html = re.sub(r' (?:dir|rel)="[^"]*"', "", markup_html(case["text"]))
        html = re.sub(r' (href|start)="([^"]*)"', r" \1=\2", html)
        html = html.replace("&#34;", '"').replace("&#39;", "'")
        assert html == case["html"], case["is"]
        if "plain" in case:
            assert plain_text(case["text"]) == case["plain"], case["is"]
    assert len({case["is"] for case in CASES}) == len(CASES)


def test_a_text_without_marks_is_its_own_plain_text() -> None:
    for text in ("", "Hello\n\n  there ", "a -b 3.4", "https://example.org/x"):
        assert plain_text(text) == text


def test_hostile_texts_take_linear_time_and_nest_three_deep() -> None:
    for part in HOSTILE:
        text = (part * 4 * SIZE)[: 4 * SIZE]
        begun = time.process_time()
        assert depth_of(parse_markup(text)) <= 3
        # Linear, each takes 5 to 150 ms; quadratic, it takes seconds at least.
        assert time.process_time() - begun < 1, part


def depth_of(blocks: list[Block] | Any) -> int:
    """How deep blocks and lists nest."""
    deepest = 0
    for block in blocks:
        if isinstance(block, QuoteBlock):
            deepest = max(deepest, 1 + depth_of(block.children))
        elif isinstance(block, ListBlock):
            deepest = max(deepest, max(1 + depth_of(item.lists) for item in block.items))
    return deepest
