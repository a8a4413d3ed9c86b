"""Reads the guides: their code blocks, with the directives that say what the runner does with each.

A directive is an HTML comment on a line of its own above a block; several stand on lines below each other.

    <!-- file: listen.py -->       saves the block under this name, for another block
    <!-- prints -->                what the `sh` block before it printed; `…` stands for any text, or for any lines
    <!-- background -->            starts the block and goes on; it is stopped at the end of the page
    <!-- prints in background -->  lines that a background block must come to print, in this order
    <!-- needs: nginx php -->      runs the block only where these commands are installed
    <!-- not run: REASON -->       does not run the block
    <!-- own server -->            below the title of a page: it starts its servers itself

An `sh` block without one is run. A block in another language for programs must have one.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

SHELL: Final = frozenset({"sh", "bash"})
PROGRAMS: Final = SHELL | {
    *(
        "python",
        "py",
        "js",
        "javascript",
        "ts",
        "typescript",
        "go",
        "php",
        "ruby",
        "java",
        "kotlin",
    ),
    *("c", "cpp", "csharp", "rust", "swift", "dart", "perl", "lua"),
}
DATA: Final = frozenset(
    {
        *("json", "text", "html", "css", "toml", "ini", "yaml", "nginx", "http", "ndjson", "csv"),
        *("caddyfile", "dockerfile", "diff", "markdown", "promql", "xml", "svg"),
    }
)
OF_BLOCKS: Final = frozenset(
    {"file", "prints", "background", "prints in background", "needs", "not run"}
)
WITH_VALUE: Final = frozenset({"file", "needs", "not run", "generated"})
OF_PAGES: Final = frozenset({"own server", "generated", "end of generated"})

_COMMENT: Final = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
_PORTS: Final = re.compile(
    r"(?:(?:127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1\]):|--port[ =]|PORT=|\blisten )(\d{4,5})\b"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page."""

    line: int
    """Of its first line of code, counted from 1."""
    language: str
    text: str
    directives: dict[str, str] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        unrun = {"file", "prints", "prints in background", "not run"}
        return self.language in SHELL and not unrun & self.directives.keys()


@dataclass(frozen=True, slots=True)
class Page:
    """A guide, with the mistakes in its directives."""

    name: str
    """Its path below the root of the guides."""
    blocks: tuple[Block, ...]
    owns_servers: bool
    mistakes: tuple[str, ...]

    @property
    def is_run(self) -> bool:
        return any(block.is_run for block in self.blocks)

    @property
    def ports(self) -> list[str]:
        """The ports that its blocks name, which the runner replaces with free ones."""
        return sorted({port for block in self.blocks for port in _PORTS.findall(block.text)})


def read(path: Path, root: Path) -> Page:
    """The page in this file."""
    return parse(str(path.relative_to(root)), path.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Page:
    """The page with this text."""
    blocks: list[Block] = []
    mistakes: list[str] = []
    of_page: set[str] = set()
    above: dict[str, str] = {}
    last_line = 0

    def wrong(line: int, what: str) -> None:
        mistakes.append(f"{name}:{line}: {what}")

    def left_over() -> None:
        for directive in above:
            wrong(last_line, f"no block stands directly below the directive {directive!r}")
        above.clear()

    for token in MarkdownIt().parse(text):
        if token.map is None or token.type not in {"html_block", "fence", "code_block"}:
            continue
        first, end = token.map
        if above and first != last_line:
            left_over()
        if token.type == "html_block":
            for content in _COMMENT.findall(token.content):
                key, colon, value = (part.strip() for part in content.partition(":"))
                if bool(colon and value) != (key in WITH_VALUE):
                    wrong(first + 1, f"there is no directive {content!r}")
                elif key in OF_BLOCKS:
                    above[key] = value
                elif key in OF_PAGES:
                    of_page.add(key)
                else:
                    wrong(first + 1, f"there is no directive {content!r}")
            last_line = end
        else:
            language = token.info.split()[0] if token.info.split() else ""
            blocks.append(Block(first + 2, language, token.content, dict(above)))
            above.clear()
    left_over()
    mistakes += _misuses(name, blocks)
    return Page(name, tuple(blocks), "own server" in of_page, tuple(mistakes))


def _misuses(name: str, blocks: list[Block]) -> list[str]:
    """What blocks have wrong: each program is run, or saved and used later, or says why not."""
    found: list[str] = []
    printed = False
    backgrounds = 0
    for block in blocks:
        where, has = f"{name}:{block.line}", block.directives
        if block.language not in PROGRAMS | DATA:
            found.append(
                f"{where}: {block.language!r} is no language of a block that we know; `text` fits all"
            )
        if block.language in PROGRAMS and not block.is_run and not has.keys() & {"file", "not run"}:
            found.append(f"{where}: say `file: …` to use it in a later block, or `not run: …`")
        if "file" in has and not any(
            Path(has["file"]).name in other.text for other in blocks if other is not block
        ):
            found.append(f"{where}: no other block uses {has['file']}")
        if {"background", "needs"} & has.keys() and not block.is_run and "file" not in has:
            found.append(
                f"{where}: only `sh` blocks that run can be in background or need commands"
            )
        if "prints" in has and not printed:
            found.append(f"{where}: the block above it is no `sh` block that runs")
        if "prints in background" in has and not backgrounds:
            found.append(f"{where}: no block above it runs in background")
        backgrounds += "background" in has
        printed = block.is_run and "background" not in has
    return found
