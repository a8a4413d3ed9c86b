"""Reads what WhatsApp exports of a chat: a text with one message after the other, and the files beside it.

The text has no fixed form: the phone's system, language and settings decide how a date looks. A message begins with a
date and a time, in brackets (iOS) or before a dash (Android); other lines continue the message before. Whether the day
or the month comes first is found from all dates of the file.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from channels.moving.archive import PIECE, RATIO, check_directory
from channels.moving.errors import MovingRefused
from channels.moving.foreign.writer import ForeignArchive, ForeignFile, ForeignPost, one_line
from groups.models import Location

LINE_BYTES: Final = 1024 * 1024
MESSAGE_CHARACTERS: Final = 1024 * 1024
ROOM: Final = 64 * 1024
_BUDDHIST_YEARS: Final = 543
_BUDDHIST_FROM: Final = 2400
"""Years of phones in Thailand."""

_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_SPACES: Final = {0x202F: " ", 0xA0: " ", 0x2009: " "}
_HALVES: Final = (
    r"[ap]\.?\s?m\.?|上午|下午|午前|午後|오전|오후|[صم](?!\w)|[قب]\.?\s?ظ\.?|[πμ]\.?μ\.?"
    r"|öö|ös|ptg|pg|sa(?!\w)|ch(?!\w)"
)
"""Halves of the day: also Arabic, Persian, Greek, Turkish, Malay and Vietnamese."""
_GAP: Final = rf"[\s{_MARKS}]{{0,4}}"
_HEAD: Final = re.compile(
    rf"[{_MARKS}]*(\[)?[{_MARKS}]{{0,4}}(\d{{1,4}}){_GAP}([./-]){_GAP}(\d{{1,2}}){_GAP}\3{_GAP}(\d{{1,4}})"
    rf"\.?(?:\s?г\.)?{_GAP}[,،]?[\s{_MARKS}]{{1,4}}"
    rf"(?:um |at |a las |à |klo |kl\. ?)?({_HALVES})?\s?(\d{{1,2}})[:.](\d{{2}})(?:[:.](\d{{2}}))?"
    rf"{_GAP}({_HALVES})?(?:\s?ч\.)?"
    rf"{_GAP}(?:(?(1)\])|(?(1)(?!)|))[{_MARKS}]*\s?(?(1)|[-–]\s)(.*)",
    re.IGNORECASE | re.DOTALL,
)
_AFTERNOON: Final = ("p", "下午", "午後", "오후", "م", "ب", "μμ", "μ.μ", "ös", "ch")
_DIGITS: Final = {
    **{ord("٠") + n: str(n) for n in range(10)},
    **{ord("۰") + n: str(n) for n in range(10)},
    **{ord("०") + n: str(n) for n in range(10)},
}
_SENDER: Final = re.compile(
    rf"[{_MARKS}~\s]{{0,8}}([^:\n]{{1,100}}?)[{_MARKS}]*:(?:\s|$)(.*)", re.DOTALL
)
_QUOTES: Final = re.compile('["“”«»„‘’「]')
_NAME: Final = r"[^<>:\n/\\]{1,250}?\.[A-Za-z0-9]{0,8}"
_ATTACHED_IOS: Final = re.compile(rf"<[^<>:\n]{{1,40}}:\s?({_NAME})>")
_ATTACHED_ANDROID: Final = re.compile(rf"[{_MARKS}]*({_NAME}) \([^()\n]{{1,60}}\)(?:\n|$)")
_OWN_NAMES: Final = re.compile(
    r"(?:IMG|VID|AUD|PTT|DOC|STK)-\d{8}-WA\d+\.\w*|\d{6,8}-(?:PHOTO|VIDEO|AUDIO|STICKER|GIF|PTT)-[\d-]+\.\w+"
)
_OMITTED: Final = re.compile(rf"[{_MARKS}\s]*<[^<>\n:]{{3,60}}>[{_MARKS}\s]*")
_OMITTED_IOS: Final = re.compile(
    r"(.{1,40}) (?:omitted|weggelassen|nicht enthalten|omitid[oa]s?|omis(?:e|es)?|omess[oa]|ocultad[oa]|verwijderd"
    r"|dahil edilmedi|utelatt|udeladt|jätetty pois|pominięt[oya]|пропущен[оаы]?)\.?"
    r"|已?省略.{0,12}|.{0,12}已?(?:省略|忽略)"
)
_VIEWED_ONCE: Final = "null"
"""Android writes this in the place of media that were to be seen once."""
_WAITING: Final = re.compile(
    r"(?:waiting for this message|auf diese nachricht wird gewartet|esperando (?:el|este) mensaje"
    r"|in attesa del messaggio|aguardando mensagem|en attente de ce message)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_DELETED: Final = re.compile(
    r"(?:this message was deleted(?: by admin [^\n]{1,80})?|you deleted this message(?: as admin)?"
    r"|diese nachricht wurde (?:von [^\n]{1,80} )?gelöscht|du hast diese nachricht(?: als admin)? gelöscht"
    r"|(?:se )?elimin(?:ó|aste) este mensaje|este mensaje fue eliminado"
    r"|ce message a été supprimé|vous avez supprimé ce message|questo messaggio è stato eliminato"
    r"|hai eliminato questo messaggio|(?:esta )?mensagem (?:foi )?apagada|você apagou esta mensagem"
    r"|bu mesaj silindi|bu mesajı sildiniz|(?:данное )?сообщение удалено|вы удалили данное сообщение|הודעה זו נמחקה"
    r"|[此这這您你].{0,6}(?:消息|讯息|訊息).{0,4}"
    r"|تم حذف هذه الرسالة|لقد حذفت هذه الرسالة)\W*",
    re.IGNORECASE,
)
_EDITED: Final = re.compile(
    rf"\s*[{_MARKS}]*<(?:this message was edited|diese nachricht wurde bearbeitet|se editó este mensaje"
    r"|ce message a été modifié|questo messaggio è stato modificato|mensagem editada|bu mesaj düzenlendi"
    r"|此消息已编辑|تم تعديل هذه الرسالة)\.?>\s*",
    re.IGNORECASE,
)
_BLOCK: Final = re.compile(rf"[{_MARKS}]*([^\W\d_]{{2,20}})\s?:\s*(.*)", re.DOTALL)
"""A poll or an event: a word in capitals, in the language of the phone, and lines with such words."""
_VOTES: Final = re.compile(rf"[{_MARKS}]*([^\W\d_]{{2,20}})\s?:\s*(.*?)\s*\((\d+) [^()]*\)\s*")
_OPTION: Final = 1_000
"""Characters of a line beyond which it is no option of a poll."""
_WORDS: Final = 60
"""Characters of the words that stand for media that were left out."""
_PLACE: Final = re.compile(
    rf"[{_MARKS}]*[^\n:]{{1,30}}:\s*https://maps\.google\.com/\?q=(-?\d{{1,2}}(?:\.\d+)?),(-?\d{{1,3}}(?:\.\d+)?)\s*"
)
_BOLD: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])")
_STRUCK: Final = re.compile(r"(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])")


_CHAT_NAME: Final = re.compile(r"WhatsApp.{0,20}?\s(?:with|mit|con|avec|com|met|i|-|–)\s(.+)")


class WhatsAppFolder:
    """The files of an export, in a folder or in a zip; those of a zip are copied one by one to `scratch`."""

    def __init__(self, source: Path, stack: ExitStack) -> None:
        self._zip: zipfile.ZipFile | None = None
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._folder = (source if source.is_dir() else source.parent).resolve()
        self.scratch: Path | None = None
        if source.is_file() and source.suffix != ".txt":
            try:
                check_directory(source)
                self._zip = stack.enter_context(zipfile.ZipFile(source))
            except zipfile.BadZipFile as error:
                raise MovingRefused("not_an_export", f"{source} is no zip file: {error}") from error
            self._read_entries()
            texts = [name for name in self._entries if name.endswith(".txt")]
        elif source.is_dir():
            texts = [path.name for path in sorted(source.iterdir()) if path.suffix == ".txt"]
        else:
            texts = [source.name]
        self.name = source.stem
        self.text = _chat_in(texts)
        if self.text is None:
            raise MovingRefused("not_an_export", f"{source} holds no chat of WhatsApp.")

    def _read_entries(self) -> None:
        assert self._zip is not None
        for info in self._zip.infolist():
            name = info.filename.replace("\\", "/").rsplit("/", 1)[-1]
            if not name or info.is_dir() or name.startswith("._"):
                continue  # macOS adds a file of that name to each
            if info.flag_bits & 1:
                raise MovingRefused("bad_archive", f"The zip's entry {name!r} is encrypted.")
            if info.file_size > RATIO * max(info.compress_size, ROOM):
                raise MovingRefused(
                    "too_large", f"{name!r} would unpack to {info.file_size} bytes."
                )
            if name in self._entries:
                raise MovingRefused("bad_archive", f"The zip holds {name!r} twice.")
            self._entries[name] = info

    def lines(self) -> Iterator[str]:
        """Yield the lines of the chat, without their ends. Raises: MovingRefused."""
        assert self.text is not None
        try:
            with (
                self._zip.open(self._entries[self.text])
                if self._zip is not None
                else (self._folder / self.text).open("rb")
            ) as file:
                number = 0
                while line := file.readline(LINE_BYTES + 1):
                    number += 1
                    if len(line) > LINE_BYTES:
                        raise MovingRefused("too_large", "It is too long.", line=number)
                    yield line.decode("utf-8", errors="replace").rstrip("\r\n")
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise MovingRefused("bad_archive", f"{self.text} cannot be read: {error}") from error

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        if self._zip is not None:
            return name in self._entries
        path = (self._folder / name).resolve()
        return path.parent == self._folder and path.is_file()

    def path_of(self, name: str, target: ForeignArchive) -> Path:
        """The file, which exists."""
        if self._zip is None:
            return self._folder / name
        info = self._entries[name]
        target.check_room(info.file_size)
        copy = target.folder / f"file-{list(self._entries).index(name)}"
        if not copy.exists():
            try:
                with self._zip.open(info) as source, copy.open("wb") as written:
                    while piece := source.read(PIECE):
                        written.write(piece)
            except (zipfile.BadZipFile, EOFError, ValueError) as error:
                raise MovingRefused("bad_archive", f"{name!r} is damaged: {error}") from error
        return copy


def is_whatsapp(source: Path) -> bool:
    """Whether the path may be an export of WhatsApp: a text, a zip with one, or a folder with one."""
    if source.is_dir():
        return any(path.suffix == ".txt" for path in source.iterdir())
    if source.suffix == ".txt":
        return True
    try:
        check_directory(source)
        with zipfile.ZipFile(source) as file:
            return _chat_in([name.rsplit("/", 1)[-1] for name in file.namelist()]) is not None
    except (zipfile.BadZipFile, MovingRefused, OSError):
        return False


def _chat_in(names: list[str]) -> str | None:
    """The name of the file with the chat."""
    if "_chat.txt" in names:
        return "_chat.txt"
    texts = [name for name in names if name.endswith(".txt") and not name.startswith("._")]
    chats = [name for name in texts if "whatsapp" in name.lower()]
    return chats[0] if chats else texts[0] if len(texts) == 1 else None


class _Parts(NamedTuple):
    """The numbers of a date as they are written, and the time."""

    first: int
    second: int
    third: int
    is_year_first: bool
    hour: int
    minute: int
    second_of_minute: int
    has_half: bool


@dataclass(slots=True)
class _Entry:
    """A message as it is in the text. `line` is that of its beginning."""

    line: int
    parts: _Parts
    text: str


class WhatsAppExport:
    """One export."""

    def __init__(self, folder: WhatsAppFolder, zone: tzinfo) -> None:
        self._folder = folder
        self._zone = zone
        self._order, self._is_sure, self._first = _order_of(self._entries())

    @property
    def name(self) -> str:
        """The name of the chat, where the name of the file, or of the zip or folder with it, has it."""
        for text in ((self._folder.text or "").removesuffix(".txt"), self._folder.name):
            found = _CHAT_NAME.search(text)
            if found is not None:
                return found[1].strip(_MARKS + " ")
        return "WhatsApp"

    async def convert(self, target: ForeignArchive) -> None:
        """Write all that can be taken over."""
        if self._first is None:
            raise MovingRefused("not_an_export", "The text holds no message of WhatsApp.")
        target.begin(self.name, self._instant(self._first))
        if not self._is_sure:
            how = "month" if self._order == "mdy" else "day"
            target.report.change("dates", f"read with the {how} first; the file does not tell", "")
        for entry in self._entries():
            await self._take(entry, target)
        target.end()

    def _entries(self) -> Iterator[_Entry]:
        entry: _Entry | None = None
        for number, line in enumerate(self._folder.lines(), 1):
            begun = _begin(line)
            if begun is not None:
                if entry is not None:
                    yield entry
                entry = _Entry(number, *begun)
            elif entry is not None:
                entry.text += "\n" + line
                if len(entry.text) > MESSAGE_CHARACTERS:
                    raise MovingRefused("too_large", "The message is too long.", line=entry.line)
        if entry is not None:
            yield entry

    def _instant(self, parts: _Parts) -> datetime:
        year, month, day = _ordered(parts, self._order)
        hour, minute, second = parts.hour, parts.minute, parts.second_of_minute
        try:
            local = datetime(year, month, day, hour, minute, second, tzinfo=self._zone)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            raise MovingRefused(
                "bad_line", f"There is no day {day} of month {month} in {year}, or no such time."
            ) from None

    async def _take(self, entry: _Entry, target: ForeignArchive) -> None:
        report, place = target.report, f"line {entry.line}"
        found = _SENDER.fullmatch(entry.text)
        if found is None or _QUOTES.search(found[1]):
            report.leave("system messages", "notices of WhatsApp", place)
            return
        sender, text = one_line(found[1].strip(_MARKS + " ")), found[2]
        text, edits = _EDITED.subn("", text)
        is_marked = text.lstrip(" ").startswith(tuple("\u200e\u200f"))
        bare = text.strip(_MARKS + " \n")
        if _DELETED.fullmatch(bare):
            report.leave("deleted messages", "their text is gone", place)
            return
        if _WAITING.fullmatch(bare):
            report.leave("messages", "they had not arrived at the phone", place)
            return
        if bare == _VIEWED_ONCE:
            report.leave("media", "they were to be seen once", place)
            return
        found_place = _PLACE.fullmatch(text)
        if found_place is not None:
            await self._take_place(entry, sender, found_place, target)
            return
        file, text = self._file_in(text, target, place)
        if file is None and _is_omitted(text, bare, is_marked=is_marked):
            report.leave("media", "the export was made without them", place)
            return
        caption = _caption_in(text) if file is None else None
        if caption is not None:
            report.leave("media", "the export was made without them", place)
            if not caption.strip(_MARKS + " \n"):
                return
            text, is_marked = caption, False
        block = _BLOCK.fullmatch(text)
        if block is not None and not _is_capital(block[1]):
            block = None
        if block is not None and any(_votes_in(line) for line in block[2].split("\n")):
            text = self._poll_text(block[2], target, place)
        elif is_marked and block is None and file is None and text.strip(_MARKS + " \n"):
            report.leave("system messages", "notices of WhatsApp", place)
            return
        if edits:
            report.change(
                "edited messages", "without the time of the edit, which is not in the file", place
            )
        text = marks(text.strip(_MARKS + " \n"))
        if not text and file is None:
            report.leave("messages", "nothing of them is left", place)
            return
        post = ForeignPost(
            place=place, at=self._instant(entry.parts), text=text, file=file, signature=sender
        )
        await target.add(post)

    async def _take_place(
        self, entry: _Entry, sender: str, found: re.Match[str], target: ForeignArchive
    ) -> None:
        latitude, longitude = float(found[1]), float(found[2])
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            target.report.leave("places", "there is no such place", f"line {entry.line}")
            return
        post = ForeignPost(
            place=f"line {entry.line}",
            at=self._instant(entry.parts),
            location=Location(latitude=latitude, longitude=longitude),
            signature=sender,
        )
        await target.add(post)

    def _file_in(
        self, text: str, target: ForeignArchive, place: str
    ) -> tuple[ForeignFile | None, str]:
        """The file that the message carries, and the rest of its text."""
        for pattern in (_ATTACHED_IOS, _ATTACHED_ANDROID):
            found = pattern.search(text) if pattern is _ATTACHED_IOS else pattern.match(text)
            if found is None:
                continue
            name = found[1].strip(_MARKS + " ")
            if self._folder.has(name):
                rest = text[: found.start()] + text[found.end() :]
                path = self._folder.path_of(name, target)
                return ForeignFile(path=path, name=name, words=_words_of(name)), rest
            if _OWN_NAMES.fullmatch(name):
                target.report.leave(_words_of(name), "the file is not beside the text", place)
                return None, text[: found.start()] + text[found.end() :]
        return None, text

    def _poll_text(self, text: str, target: ForeignArchive, place: str) -> str:
        """A poll as text: the export has the numbers of votes, and a poll of ours would begin with none."""
        lines = [line.strip(_MARKS + " ") for line in text.split("\n") if line.strip(_MARKS + " ")]
        target.report.change("polls", "as text with their numbers of votes", place)
        made = [marks(line) for line in lines[:1]]
        for line in lines[1:]:
            votes = _votes_in(line)
            made.append(f"- {votes[0]}: {votes[1]}" if votes else f"- {line}")
        return "\n".join(made)


def _caption_in(text: str) -> str | None:
    """The text before the words for media that were left out, as iOS writes them; None where there are none.

    Of a document it has name and pages before them, which are no caption.
    """
    before, mark, words = text.rstrip(" \n").rpartition("\u200e")
    if not mark or len(words) > _WORDS or not _OMITTED_IOS.fullmatch(words.strip(_MARKS + " ")):
        return None
    above, _, line = before.rpartition("\n")
    of_document = "• \u200e" in line or re.fullmatch(_NAME, line.strip(_MARKS + " "))
    return above if of_document else before


def _is_capital(word: str) -> bool:
    """Whether the word is in capitals, or of a script without them."""
    return word == word.upper()


def _votes_in(line: str) -> tuple[str, str] | None:
    """An option of a poll, and how many voted for it."""
    found = _VOTES.fullmatch(line) if len(line) <= _OPTION else None
    return (found[2], found[3]) if found is not None and _is_capital(found[1]) else None


def _is_omitted(text: str, bare: str, *, is_marked: bool) -> bool:
    return bool(_OMITTED.fullmatch(text)) or (is_marked and bool(_OMITTED_IOS.fullmatch(bare)))


def _words_of(name: str) -> str:
    ending = name.rsplit(".", 1)[-1].lower()
    kinds: Mapping[str, str] = {
        **dict.fromkeys(("jpg", "jpeg", "png", "heic", "gif"), "photos"),
        **dict.fromkeys(("mp4", "mov", "3gp"), "videos"),
        **dict.fromkeys(("opus", "m4a", "mp3", "aac", "ogg"), "sounds"),
        "webp": "stickers",
    }
    return kinds.get(ending, "files")


def _begin(line: str) -> tuple[_Parts, str] | None:
    """The date and the rest of a line that begins a message; None for another line."""
    # Nearly all lines that continue a message end here.
    if not any(c.isdigit() for c in line[:8]):
        return None
    head = line[:80].translate(_SPACES).translate(_DIGITS) + line[80:]
    found = _HEAD.fullmatch(head)
    if found is None:
        return None
    first, second, third = int(found[2]), int(found[4]), int(found[5])
    hour, half = int(found[7]), (found[6] or found[10] or "").lower()
    if half:
        is_late = half.startswith(_AFTERNOON) and not half.startswith("pg")
        hour = hour % 12 + (12 if is_late else 0)
    is_year_first = len(found[2]) > 2
    if not is_year_first and len(found[5]) not in {2, 4}:
        return None
    seconds = int(found[9] or 0)
    parts = _Parts(first, second, third, is_year_first, hour, int(found[8]), seconds, bool(half))
    return parts, line[found.start(11) :]


def _order_of(entries: Iterator[_Entry]) -> tuple[str, bool, _Parts | None]:
    """Which number of a date is the day, whether that is sure, and the first date.

    A number beyond 12 is a day. Where there is none, the order in which dates do not go back is right.
    """
    most_first = most_second = 0
    first: _Parts | None = None
    back = {"dmy": 0, "mdy": 0}
    last = {"dmy": (0, 0, 0), "mdy": (0, 0, 0)}
    has_half = False
    for entry in entries:
        parts = entry.parts
        first = first or parts
        if parts.is_year_first:
            return "ymd", True, first
        has_half = has_half or parts.has_half
        most_first, most_second = max(most_first, parts.first), max(most_second, parts.second)
        for order in back:
            date = _ordered(parts, order)
            back[order] += date < last[order]
            last[order] = date
    if most_first > 12 or most_second > 12:
        return ("dmy" if most_first > 12 else "mdy"), True, first
    if back["dmy"] != back["mdy"]:
        return min(back, key=lambda order: back[order]), True, first
    return ("mdy" if has_half else "dmy"), first is None, first


def _ordered(parts: _Parts, order: str) -> tuple[int, int, int]:
    """Year, month and day."""
    if parts.is_year_first:
        return parts.first, parts.second, parts.third
    year = parts.third if parts.third > 99 else 2000 + parts.third
    year -= _BUDDHIST_YEARS if year > _BUDDHIST_FROM else 0
    return (
        (year, parts.second, parts.first) if order == "dmy" else (year, parts.first, parts.second)
    )


def marks(text: str) -> str:
    """The text with WhatsApp's marks as ours: `*bold*` and `~struck~` are doubled, the others are the same."""
    return _STRUCK.sub(r"~~\1~~", _BOLD.sub(r"**\1**", text))
