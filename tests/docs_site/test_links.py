"""Every link, picture and anchor of the guides leads somewhere, and every guide is in the navigation once."""

import posixpath
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from channels.docs_site.guides import INDEX, Guides
from channels.docs_site.markdown import anchors_of, links_of, parser

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = "channels/docs"
PICTURES: Final = (f"{DOCS}/pictures/", "channels/bench/results/")


def broken_links(root: Path, page: str) -> Iterator[str]:
    """The links of a page that lead nowhere, or where no guide may lead."""
    for link in links_of(parser().parse((root / page).read_text(encoding="utf-8"))):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if parts.scheme not in ("https", "mailto"):
                yield f"{link}: not https"
            continue
        target = page
        if parts.path:
            target = posixpath.normpath(
                posixpath.join(posixpath.dirname(page), unquote(parts.path))
            )
        is_inside = target.startswith((f"{DOCS}/", *PICTURES)) or not page.startswith(DOCS)
        if parts.path.startswith("/") or not is_inside:
            yield f"{link}: leaves the guides"
        elif not (root / target).is_file():
            yield f"{link}: no such file"
        elif parts.fragment and not (target.endswith(".md") and has_anchor(root / target, link)):
            yield f"{link}: no such heading"


def has_anchor(path: Path, link: str) -> bool:
    return unquote(urlsplit(link).fragment) in anchors_in(path)


@cache
def anchors_in(path: Path) -> frozenset[str]:
    return frozenset(anchors_of(parser().parse(path.read_text(encoding="utf-8"))))


def navigation_faults(root: Path) -> list[str]:
    """Pages that are in the navigation not at all or twice, and entries without a page."""
    guides = Guides(root / "channels")
    entries = Counter(entry.path for entry in guides.navigation().pages())
    paths = set(guides.paths()) - {INDEX}
    return [
        *(f"{path}: not in the navigation" for path in sorted(paths - set(entries))),
        *(f"{path}: in the navigation, but not there" for path in sorted(set(entries) - paths)),
        *(
            f"{path}: {count} times in the navigation"
            for path, count in entries.items()
            if count > 1
        ),
    ]


def test_every_link_of_the_guides_leads_somewhere() -> None:
    pages = ["README.md", *(f"{DOCS}/{path}" for path in Guides().paths())]
    broken = [f"{page}: {fault}" for page in pages for fault in broken_links(ROOT, page)]
    assert not broken, "\n".join(broken)


def test_every_guide_is_in_the_navigation_once() -> None:
    faults = navigation_faults(ROOT)
    assert not faults, "\n".join(faults)


def test_broken_links_are_found(tmp_path: Path) -> None:
    docs = tmp_path / DOCS
    docs.mkdir(parents=True)
    (docs / "there.md").write_text("# There\n\n## A heading, `twice`\n\n## A heading, `twice`\n")
    (tmp_path / "code.py").touch()
    (docs / "page.md").write_text(
        "# Page\n\n[a](there.md) [b](there.md#a-heading-twice) [c](there.md#a-heading-twice-1) [d](#page)\n"
        "[e](https://example.org)\n\n[f](gone.md) [g](there.md#gone) [h](../../code.py) [i](/docs) ![j](gone.png)\n"
        "[k](http://example.org) [l](#gone)\n"
    )
    faults = list(broken_links(tmp_path, f"{DOCS}/page.md"))
    assert faults == [
        "gone.md: no such file",
        "there.md#gone: no such heading",
        "../../code.py: leaves the guides",
        "/docs: leaves the guides",
        "gone.png: no such file",
        "http://example.org: not https",
        "#gone: no such heading",
    ]


def test_faults_of_the_navigation_are_found(tmp_path: Path) -> None:
    docs = tmp_path / DOCS
    (docs / "decisions").mkdir(parents=True)
    for path in ("a.md", "b.md", "decisions/one.md", "decisions/two.md"):
        (docs / path).write_text("# Page\n")
    (docs / "decisions/index.md").write_text(
        "# Decisions\n\n- [One](one.md), after [two](two.md)\n"
    )
    (docs / INDEX).write_text(
        "# Docs\n\n## Start\n\n- [A](a.md)\n- [A again](a.md)\n- [Decisions](decisions/index.md)\n- [Gone](gone.md)\n"
    )
    assert navigation_faults(tmp_path) == [
        "b.md: not in the navigation",
        "decisions/two.md: not in the navigation",
        "gone.md: in the navigation, but not there",
        "a.md: 2 times in the navigation",
    ]
