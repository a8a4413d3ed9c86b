"""The marks in texts of messages: a small subset of Markdown, read into a tree.

Promises: time and memory are linear in the length of the text, whatever is in it. Nesting is bounded. Every text is
accepted: what is no mark stays as it was written. Addresses in the tree are http, https or mailto, without user names.

`core/markup.js` of the JavaScript SDK reads the same trees, and `tests/console/markup_cases.json` holds both to it. A
library for Markdown would read more than this subset, and other trees than the script.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

MOST_OPEN: Final = 8  # marks that are open at once; beyond it the first one counts as text
MOST_QUOTES: Final = 3  # quotes in quotes
MOST_LISTS: Final = 3  # lists in lists
MOST_ADDRESS: Final = 2048  # characters
PREVIEWED: Final = 400
"""Characters at the beginning of a text of which a preview is made."""

# Every class of characters is written out, so that it means the same in JavaScript.
_SPACES: Final = r" \t\n\r\v\f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_LETTERS: Final = r"0-9a-z\u00a1-\u1fff\u2c00-\u2fff\u3040-\ud7ff\uf900-\ufdff\ufe70-\ufefc"
_ASCII: Final = re.ASCII | re.IGNORECASE
_SPACE: Final = re.compile(f"[{_SPACES}]")
_BLANK: Final = re.compile(f"[{_SPACES}]*")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_FENCE: Final = re.compile(r"```[^` \t]*[ \t]*")
_FENCE_END: Final = re.compile(r"```[ \t]*")
_QUOTED: Final = re.compile(r">(?:[ >]|\Z)")
_ITEM: Final = re.compile(r"( {0,12})([-*]|[0-9]{1,9}[.)])[ \t]+(?=[^ \t])")
_GOES_ON: Final = re.compile(r" {2,}(?=[^ ])")
_MARK: Final = re.compile(r"[*_~`[\\>]|^ *(?:-|[0-9])", re.MULTILINE)
"""What a text without any mark does not contain."""
_NEXT: Final = re.compile(r"[*_~`\[\]\\]|https?://", _ASCII)
"""Where something may begin; everything up to it is text."""
_HOST: Final = re.compile(
    rf"https?://(?:\[[0-9a-f:.]+\]|[{_LETTERS}][-._{_LETTERS}]*)(?::[0-9]{{1,5}})?(?![-._:@{_LETTERS}])",
    _ASCII,
)
_MAIL: Final = re.compile(r"mailto:[-0-9a-z._+]+@[0-9a-z][-0-9a-z.]*", _ASCII)
_ENDS: Final = re.compile(f'[{_SPACES}<>"`，。！？；：、（）】》」』”’…]')
"""What ends an address in running text."""
_IN_ADDRESS: Final = re.compile(r"[()\[\]]|" + _ENDS.pattern)
_TRAILING: Final = ".,;:!?'*_~»"
"""Punctuation that ends a sentence or a mark, not an address."""
_ESCAPABLE: Final = frozenset("*_~`[]()<>-.")
_LIKE_ADDRESS: Final = re.compile(r"://|\bwww\.", _ASCII)
"""A label that names an address might name another one than it leads to."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Bold, italic or struck text."""

    kind: Literal["bold", "italic", "strike"]
    children: "Sequence[Inline]"


@dataclass(frozen=True, slots=True)
class Code:
    """Code inside of a line."""

    text: str


@dataclass(frozen=True, slots=True)
class LinkTo:
    """A link: an address in the text, or a label with an address."""

    url: str
    children: "Sequence[Inline]"


Inline = str | Marked | Code | LinkTo


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Lines of text; line breaks and blank lines are in its strings."""

    children: Sequence[Inline]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Lines of code."""

    text: str


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    """Quoted blocks."""

    children: "Sequence[Block]"


@dataclass(frozen=True, slots=True)
class ListItem:
    """An item, and the lists below it."""

    children: Sequence[Inline]
    lists: "list[ListBlock]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ListBlock:
    """A list; `start` is the number of its first item, None where it has bullets."""

    start: int | None
    items: list[ListItem] = field(default_factory=list)


Block = TextBlock | CodeBlock | QuoteBlock | ListBlock


def parse_markup(text: str) -> list[Block]:
    """The tree of a text."""
    return _blocks_of(_LINE_END.split(text), 0)


def plain_text(text: str) -> str:
    """The text without its marks."""
    return _plain_blocks(parse_markup(text)) if _MARK.search(text) else text


def plain_beginning(text: str) -> str:
    """The beginning of the text without its marks, for a preview; marks that end after it are shown."""
    return plain_text(text[:PREVIEWED])


def link_target(address: str) -> str | None:
    """The address that a link may lead to, as it was written; otherwise None."""
    if len(address) > MOST_ADDRESS or _ENDS.search(address):
        return None
    return address if _HOST.match(address) or _MAIL.fullmatch(address) else None


# --- lines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ItemLines:
    indent: int
    mark: str
    lines: list[str]


def _blocks_of(lines: Sequence[str], depth: int) -> list[Block]:
    blocks: list[Block] = []
    run: list[str] = []

    def end_run() -> None:
        first, last = 0, len(run)
        while first < last and _is_blank(run[first]):
            first += 1
        while last > first and _is_blank(run[last - 1]):
            last -= 1
        if last > first:
            blocks.append(TextBlock(_paragraphs(run[first:last])))
        run.clear()

    may_fence = True  # False once a fence was not closed: no later one is, either
    at = 0
    while at < len(lines):
        line = lines[at]
        if may_fence and _FENCE.fullmatch(line):
            end = at + 1
            while end < len(lines) and not _FENCE_END.fullmatch(lines[end]):
                end += 1
            if end < len(lines):
                end_run()
                blocks.append(CodeBlock("\n".join(lines[at + 1 : end])))
                at = end + 1
                continue
            may_fence = False
        if depth < MOST_QUOTES and _QUOTED.match(line):
            end_run()
            inner: list[str] = []
            while at < len(lines) and _QUOTED.match(lines[at]):
                inner.append(lines[at][1:].removeprefix(" "))
                at += 1
            blocks.append(QuoteBlock(_blocks_of(inner, depth + 1)))
        elif _ITEM.match(line):
            end_run()
            items: list[_ItemLines] = []
            while at < len(lines):
                found = _ITEM.match(lines[at])
                if found:
                    items.append(_ItemLines(len(found[1]), found[2], [lines[at][found.end() :]]))
                elif _GOES_ON.match(lines[at]):
                    items[-1].lines.append(lines[at].lstrip(" "))
                else:
                    break
                at += 1
            blocks += _lists_of(items)
        else:
            run.append(line)
            at += 1
    end_run()
    return blocks


def _is_blank(line: str) -> bool:
    return _BLANK.fullmatch(line) is not None


def _lists_of(items: Iterable[_ItemLines]) -> list[ListBlock]:
    """The lists that these lines make.

    An item belongs to the last one before it that is at least two spaces less indented.
    """
    lists: list[ListBlock] = []
    opened: list[tuple[int, ListItem]] = []
    for each in items:
        while opened and each.indent < opened[-1][0] + 2:
            opened.pop()
        del opened[MOST_LISTS - 1 :]
        into = opened[-1][1].lists if opened else lists
        start = None if each.mark in {"-", "*"} else int(each.mark[:-1])
        if not into or (into[-1].start is None) is not (start is None):
            into.append(ListBlock(start))
        item = ListItem(_Reader("\n".join(each.lines)).read())
        into[-1].items.append(item)
        opened.append((each.indent, item))
    return lists


def _paragraphs(lines: Sequence[str]) -> list[Inline]:
    """The inline tree of some lines. Marks do not reach over a blank line."""
    children: list[Inline] = []
    begin = at = 0
    while at <= len(lines):
        if at < len(lines) and not _is_blank(lines[at]):
            at += 1
            continue
        if at > begin:
            children += _Reader("\n".join(lines[begin:at])).read()
        if at == len(lines):
            break
        end = at
        while _is_blank(lines[end]):
            end += 1
        children.append("\n" * (end - at + 1))
        at = begin = end
    return _merged(children)


# --- inside of a paragraph --------------------------------------------------------------------------------------------


class _Reader:
    """Reads one paragraph."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out: list[Inline] = []
        self._open: list[tuple[str, int]] = []
        """Marks that may still be closed: which, and where in `_out`."""
        self._brackets: list[int] = []
        """Brackets that may begin a link: where in `_out`."""
        self._unclosed: set[int] = set()
        """Lengths of runs of backticks that were not found again."""

    def read(self) -> list[Inline]:
        text = self._text
        while self._at < len(text):
            found = _NEXT.search(text, self._at)
            begin = found.start() if found else len(text)
            if begin > self._at:
                self._out.append(text[self._at : begin])
                self._at = begin
            if found:
                self._special(text[begin])
        return _merged(self._out)

    def _special(self, character: str) -> None:
        match character:
            case "\\":
                self._escape()
            case "`":
                self._code()
            case "[":
                if len(self._brackets) == MOST_OPEN:
                    del self._brackets[0]
                self._brackets.append(len(self._out))
                self._take(1)
            case "]":
                self._close_bracket()
            case "h" | "H":
                self._address()
            case _:
                self._mark(character)

    def _take(self, length: int) -> None:
        """Add so many characters as text."""
        self._out.append(self._text[self._at : self._at + length])
        self._at += length

    def _character(self, at: int) -> str:
        """The character at this place; empty outside of the text."""
        return self._text[at] if 0 <= at < len(self._text) else ""

    def _escape(self) -> None:
        if self._character(self._at + 1) in _ESCAPABLE:
            self._at += 1
        self._take(1)

    def _code(self) -> None:
        text, at = self._text, self._at
        length = _run_at(text, at)
        if length not in self._unclosed:
            end = text.find("`", at + length)
            while end >= 0:
                found = _run_at(text, end)
                if found == length:
                    self._out.append(Code(_spaced(text[at + length : end])))
                    self._at = end + length
                    return
                end = text.find("`", end + found)
            self._unclosed.add(length)
        self._take(length)

    def _close_bracket(self) -> None:
        index = self._brackets.pop() if self._brackets else None
        end = None if index is None else _address_end(self._text, self._at + 1)
        url = None if end is None else link_target(self._text[self._at + 2 : end])
        if index is not None and end is not None and url is not None:
            children = _merged(self._out[index + 1 :])
            if children and not _holds_address(children):
                del self._out[index:]
                while self._open and self._open[-1][1] >= index:
                    self._open.pop()
                self._brackets.clear()  # no link is inside of another one
                self._out.append(LinkTo(url, children))
                self._at = end + 1
                return
        self._take(1)

    def _address(self) -> None:
        text, at = self._text, self._at
        host = _HOST.match(text, at)
        if host is None or _is_word(self._character(at - 1)):
            self._take(1)
            return
        opened = {")": 0, "]": 0}
        end = len(text)
        for found in _IN_ADDRESS.finditer(text, host.end()):
            character = found[0]
            if character == "(":
                opened[")"] += 1
            elif character == "[":
                opened["]"] += 1
            elif opened.get(character, 0) > 0:
                opened[character] -= 1
            else:
                # A space, or a bracket that the address did not open, and so is around it.
                end = found.start()
                break
        if end - at > MOST_ADDRESS:
            self._take(end - at)
            return
        end = at + len(text[at:end].rstrip(_TRAILING))
        url = link_target(text[at:end])
        if url is None:
            self._take(end - at)
            return
        self._out.append(LinkTo(url, [url]))
        self._at = end

    def _mark(self, character: str) -> None:
        at = self._at
        length = _run_at(self._text, at)
        before, after = self._character(at - 1), self._character(at + length)
        is_mark = length <= 3 if character == "*" else length == (2 if character == "~" else 1)
        if not is_mark:
            self._take(length)
            return
        self._at += length
        if not _is_space(before):
            while length > 0:
                closed = self._close(
                    character, {1, 2} if length == 3 else {length}, is_before_word=_is_word(after)
                )
                if not closed:
                    break
                length -= closed
        # As bold and italic, bold is the outer one.
        for part in (2, 1) if length == 3 else (length,) if length else ():
            mark = character * part
            if not _is_space(after) and not (_is_word_mark(mark) and _is_word(before)):
                if len(self._open) == MOST_OPEN:
                    del self._open[0]
                self._open.append((mark, len(self._out)))
            self._out.append(mark)

    def _close(self, character: str, lengths: set[int], *, is_before_word: bool) -> int:
        """Close the nearest open mark of one of these lengths; returns its length, 0 where there is none."""
        for at in range(len(self._open) - 1, -1, -1):
            mark, index = self._open[at]
            if mark[0] != character or len(mark) not in lengths:
                continue
            if (is_before_word and _is_word_mark(mark)) or index + 1 == len(self._out):
                continue
            children = _merged(self._out[index + 1 :])
            del self._open[at:], self._out[index:]
            while self._brackets and self._brackets[-1] >= index:
                self._brackets.pop()
            kind: Literal["bold", "italic", "strike"] = "italic"
            if mark == "**":
                kind = "bold"
            elif mark == "~~":
                kind = "strike"
            self._out.append(Marked(kind, children))
            return len(mark)
        return 0


def _run_at(text: str, at: int) -> int:
    """How often the character at this place is repeated there."""
    end, character = at + 1, text[at]
    while end < len(text) and text[end] == character:
        end += 1
    return end - at


def _spaced(code: str) -> str:
    """The code between backticks. Spaces on both sides set apart a backtick with which it begins or ends."""
    is_apart = code.startswith(" ") and code.endswith(" ") and code.strip(" ") != ""
    return code[1:-1] if is_apart else code


def _address_end(text: str, at: int) -> int | None:
    """The place of the parenthesis that ends the address in parentheses which begins here; None where there is none."""
    if text[at : at + 1] != "(":
        return None
    is_inside = False
    for end in range(at + 1, min(len(text), at + MOST_ADDRESS + 2)):
        character = text[end]
        if character == ")" and not is_inside:
            return end
        if character == ")":
            is_inside = False
        elif character == "(" and is_inside:
            return None
        elif character == "(":
            is_inside = True
        elif _ENDS.match(character):
            return None
    return None


def _holds_address(children: Sequence[Inline]) -> bool:
    for child in children:
        if isinstance(child, str):
            if _LIKE_ADDRESS.search(child):
                return True
        elif isinstance(child, LinkTo) or (
            isinstance(child, Marked) and _holds_address(child.children)
        ):
            return True
    return False


def _is_space(character: str) -> bool:
    return not character or _SPACE.match(character) is not None


def _is_word_mark(mark: str) -> bool:
    """Single marks are none inside of a word: `snake_case`, `2*3*4`."""
    return mark in {"*", "_"}


def _is_word(character: str) -> bool:
    """Letters and digits of scripts that separate words by spaces."""
    return "" < character < "\u2e80" and character.isalnum()


def _merged(children: Iterable[Inline]) -> list[Inline]:
    """The same, with neighbouring texts as one."""
    found: list[Inline] = []
    texts: list[str] = []
    for child in children:
        if isinstance(child, str):
            texts.append(child)
            continue
        if texts:
            found.append("".join(texts))
            texts.clear()
        found.append(child)
    if texts:
        found.append("".join(texts))
    return found


# --- without marks ----------------------------------------------------------------------------------------------------


def _plain_blocks(blocks: Iterable[Block]) -> str:
    return "\n".join(map(_plain_block, blocks))


def _plain_block(block: Block) -> str:
    match block:
        case CodeBlock():
            return block.text
        case QuoteBlock():
            return _plain_blocks(block.children)
        case ListBlock():
            return _plain_list(block)
        case TextBlock():
            return _plain_inline(block.children)


def _plain_list(block: ListBlock) -> str:
    lines: list[str] = []
    for index, item in enumerate(block.items):
        mark = "•" if block.start is None else f"{block.start + index}."
        lines.append(f"{mark} {_plain_inline(item.children)}")
        lines += map(_plain_list, item.lists)
    return "\n".join(lines)


def _plain_inline(children: Iterable[Inline]) -> str:
    parts: list[str] = []
    for child in children:
        if isinstance(child, str):
            parts.append(child)
        else:
            parts.append(child.text if isinstance(child, Code) else _plain_inline(child.children))
    return "".join(parts)
