"""Reads what Telegram Desktop exports of a channel or group: `result.json`, and the files beside it.

The file is read message by message, twice: first for the pins, which come after the posts that they pin. Its texts are
lists of entities (`text_entities`), which become the marks of `reference/markup.md`.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from channels.moving.bounds import is_web_address
from channels.moving.errors import MovingRefused
from channels.moving.foreign.writer import (
    ForeignArchive,
    ForeignFile,
    ForeignPost,
    instant_of,
    one_line,
)
from groups.models import Action, ActionKind, Button, ButtonRows, Location, Poll

FILE_NAME: Final = "result.json"
PIECE: Final = 1024 * 1024
HEAD_BYTES: Final = 1024 * 1024
MESSAGE_BYTES: Final = 16 * 2**20
"""The largest message that is read; real ones have kilobytes."""
QUOTABLE: Final = 100_000
"""The newest posts whose beginning is known, for replies to them."""

_MESSAGES: Final = re.compile(r'(?<!\\)"messages"\s*:\s*\[')
_BETWEEN: Final = re.compile(r"[\s,]*")
_MARKS: Final = {
    "bold": "**",
    "italic": "*",
    "strikethrough": "~~",
}
_AS_IT_IS: Final = {"link", "mention", "hashtag", "cashtag", "bot_command", "email", "phone"}
_WITHOUT_MARK: Final = {
    "underline": "underlined texts",
    "spoiler": "spoilers",
    "custom_emoji": "custom emoji",
    "mention_name": "mentions of users",
    "bank_card": "bank cards",
}
_ESCAPED: Final = re.compile(r"[*`\[]|~~|(?<!\w)_|_(?!\w)")
_LINE_START: Final = re.compile(r"^(\s*)([>-]|\d+[.)])(?=\s)", re.MULTILINE)
_WORDS: Final = {
    "sticker": "stickers",
    "voice_message": "voice messages",
    "video_message": "video messages",
    "video_file": "videos",
    "audio_file": "sounds",
    "animation": "animations",
}
_UNKNOWN: Final = {
    "contact_information": "contacts",
    "game_title": "games",
    "invoice_information": "invoices",
    "giveaway_information": "giveaways",
    "giveaway_results": "giveaways",
    "story_id": "stories",
    "paid_stars_amount": "paid media",
}
_BAD_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")
_BARE_ID: Final = re.compile(r'("document_id": )(?!null)([A-Za-z_][^"\n]*)(?=\n)')
_MARKED_LABEL: Final = re.compile(r"[\[\]]|://|\bwww\.", re.IGNORECASE)


def is_telegram(source: Path) -> bool:
    """Whether the path is an export of Telegram, or a folder with one."""
    return (source / FILE_NAME).is_file() or (source.is_file() and source.suffix == ".json")


def file_of(source: Path) -> Path:
    """The file of the export."""
    return source / FILE_NAME if source.is_dir() else source


class TelegramExport:
    """One export."""

    def __init__(self, source: Path, zone: tzinfo) -> None:
        self._file = file_of(source)
        self._folder = self._file.parent.resolve()
        self._zone = zone
        self._beginnings: OrderedDict[int, str] = OrderedDict()
        self.head = _head_of(self._file)

    @property
    def name(self) -> str:
        """The name of the channel."""
        return str(self.head.get("name") or "")

    async def convert(self, target: ForeignArchive) -> None:
        """Write all that can be taken over."""
        pins, first = self._look_ahead()
        target.begin(self.name, first or instant_of(0))
        for message in self._messages():
            await self._take(message, pins, target)
        target.end()

    def _messages(self) -> Iterator[Mapping[str, Any]]:
        for number, message in enumerate(read_messages(self._file), 1):
            if not isinstance(message, dict):
                raise MovingRefused("bad_line", f"Message {number} is no JSON object.")
            yield message

    def _look_ahead(self) -> tuple[dict[int, datetime], datetime | None]:
        """The pins by the message, the newest last, and the time of the first message."""
        pins: OrderedDict[int, datetime] = OrderedDict()
        first: datetime | None = None
        for message in self._messages():
            at = self._at(message, "date")
            first = first or at
            pinned = message.get("message_id")
            if message.get("action") == "pin_message" and isinstance(pinned, int) and at:
                pins.pop(pinned, None)
                pins[pinned] = at
                while len(pins) > 1_000:
                    pins.popitem(last=False)
        return dict(pins), first

    def _at(self, message: Mapping[str, Any], field: str) -> datetime | None:
        try:
            seconds = message.get(f"{field}_unixtime")
            if seconds is not None:
                return instant_of(int(seconds))
            if message.get(field):
                at = datetime.fromisoformat(str(message[field]))
                local = at if at.tzinfo is not None else at.replace(tzinfo=self._zone)
                return instant_of(int(local.timestamp()))
        except (ValueError, OverflowError, OSError):
            return None
        return None

    async def _take(
        self, message: Mapping[str, Any], pins: Mapping[int, datetime], target: ForeignArchive
    ) -> None:
        report, number = target.report, message.get("id")
        place = f"message {number}"
        if message.get("type") == "service":
            action = one_line(str(message.get("action") or "unknown"))[:40]
            if action != "pin_message":
                report.leave("service messages", action, place)
            return
        at = self._at(message, "date")
        if message.get("type") != "message" or at is None or not isinstance(number, int):
            report.leave("messages", "not supported by the export", place)
            return
        text = self._text(message, lambda kind, how: report.change(kind, how, place))
        self._beginnings[number] = one_line(text)[:80]
        while len(self._beginnings) > QUOTABLE:
            self._beginnings.popitem(last=False)
        text = self._with_reply(message, text, target, place)
        file = self._file_in(message, target, place)
        poll, location = self._poll(message, at), _location(message)
        for name, words in _UNKNOWN.items():
            if name in message:
                report.leave(words, "have no form here", place)
        self._leave_marks(message, target, place)
        edited = self._at(message, "edited")
        sender, author = message.get("from"), message.get("author")
        from_channel = str(message.get("from_id") or "").startswith("channel")
        forwarded = message.get("forwarded_from")
        if forwarded is not None:
            report.take("forwarded posts")
        if edited is not None and edited > at:
            report.take("edited posts")
        if number in pins:
            report.take("pins")
        if not text.strip() and file is None and poll is None and location is None:
            report.leave("messages", "nothing of them is left", place)
            return
        await target.add(
            ForeignPost(
                place=place,
                at=at,
                text=text,
                file=file,
                poll=poll,
                location=location,
                signature=str(author or ("" if from_channel else sender) or ""),
                edited_at=edited if edited is not None and edited > at else None,
                pinned_at=pins.get(number),
                forwarded_from=str(forwarded) if forwarded is not None else None,
                buttons=_buttons(message, target, place),
            )
        )

    def _leave_marks(self, message: Mapping[str, Any], target: ForeignArchive, place: str) -> None:
        report = target.report
        for reaction in _list(message.get("reactions")):
            count = reaction.get("count") if isinstance(reaction, dict) else None
            if isinstance(count, int) and count > 0:
                report.leave("reactions", "the export does not name all who reacted", place, count)
        if message.get("poll"):
            voters = message["poll"].get("total_voters") if isinstance(message["poll"], dict) else 0
            if isinstance(voters, int) and voters > 0:
                report.leave("votes in polls", "the export does not name the voters", place, voters)
        if message.get("media_spoiler"):
            report.change("spoilers", "without the mark", place)

    def _with_reply(
        self, message: Mapping[str, Any], text: str, target: ForeignArchive, place: str
    ) -> str:
        answered = message.get("reply_to_message_id")
        if answered is None:
            return text
        beginning = self._beginnings.get(answered) if isinstance(answered, int) else None
        if not beginning or message.get("reply_to_peer_id"):
            target.report.leave("replies", "what they answer is not in the export", place)
            return text
        target.report.change("replies", "begin with a quote of what they answer", place)
        return f"> {beginning}\n\n{text}"

    def _file_in(
        self, message: Mapping[str, Any], target: ForeignArchive, place: str
    ) -> ForeignFile | None:
        named = message.get("photo") or message.get("file")
        if not named:
            return None
        words = "photos" if message.get("photo") else ""
        words = words or _WORDS.get(str(message.get("media_type")), "files")
        named = str(named)
        if named.startswith("("):
            target.report.leave(words, "the export was made without them", place)
            return None
        path = (self._folder / named).resolve()
        if not path.is_relative_to(self._folder):
            target.report.leave(words, "their path leads out of the export", place)
            return None
        if not path.is_file():
            target.report.leave(words, "the file is not beside the export", place)
            return None
        if path.suffix == ".tgs":
            target.report.leave(words, "animated stickers have no form here", place)
            return None
        name = str(message.get("file_name") or path.name)
        return ForeignFile(path=path, name=name, words=words)

    def _poll(self, message: Mapping[str, Any], at: datetime) -> Poll | None:
        poll = message.get("poll")
        if not isinstance(poll, dict):
            return None
        options = [
            one_line(_flat(answer.get("text")))
            for answer in _list(poll.get("answers"))
            if isinstance(answer, dict)
        ]
        return Poll(
            question=one_line(_flat(poll.get("question"))),
            options=tuple(options),
            closes_at=at if poll.get("closed") else None,
        )

    def _text(self, message: Mapping[str, Any], change: Callable[[str, str], None]) -> str:
        entities = message.get("text_entities")
        if not isinstance(entities, list):
            entities = message.get("text")
        if isinstance(entities, str):
            return escaped(entities)
        parts: list[str] = []
        for entity in _list(entities):
            if isinstance(entity, str):
                parts.append(escaped(entity))
            elif isinstance(entity, dict):
                parts.append(_marked(entity, "".join(parts[-1:]), change))
        return "".join(parts)


def _marked(entity: Mapping[str, Any], before: str, change: Callable[[str, str], None]) -> str:
    """The text of an entity with our marks."""
    kind, text = str(entity.get("type")), str(entity.get("text") or "")
    if kind in _MARKS:
        return wrapped(escaped(text), _MARKS[kind])
    if kind in _AS_IT_IS:
        return text
    start = "" if not before or before.endswith("\n") else "\n"
    match kind:
        case "code":
            return f"`{text}`" if text.strip() and "`" not in text else escaped(text)
        case "pre":
            language = re.sub(r"\W", "", str(entity.get("language") or ""))[:20]
            if "```" in text:
                return escaped(text)
            return f"{start}```{language}\n{text}\n```\n"
        case "blockquote":
            lines = escaped(text).strip("\n").split("\n")
            return start + "\n".join(f"> {line}" for line in lines) + "\n"
        case "text_link":
            return _link(text, str(entity.get("href") or ""))
    if kind in _WITHOUT_MARK:
        change(_WITHOUT_MARK[kind], "without the mark")
    return escaped(text)


def _link(label: str, address: str) -> str:
    try:
        is_web = urlsplit(address).scheme in {"http", "https", "mailto"}
    except ValueError:
        is_web = False
    if not is_web or not label.strip() or re.search(r"[\s()]", address):
        return f"{escaped(label)} ({address})" if address else escaped(label)
    if label == address or _MARKED_LABEL.search(label) or "\n" in label:
        return address if label == address else f"{escaped(label)} ({address})"
    return f"[{escaped(label)}]({address})"


def wrapped(text: str, mark: str) -> str:
    """The text between marks, which reach over no blank line and stand beside no space."""
    parts = re.split(r"(\n\s*\n|^\s+|\s+$)", text)
    return "".join(f"{mark}{part}{mark}" if part.strip() else part for part in parts)


def escaped(text: str) -> str:
    """The text, so that nothing in it is a mark; lists stay lists, as they look."""
    marked = _ESCAPED.sub(lambda found: "".join("\\" + c for c in found[0]), text)
    return _LINE_START.sub(
        lambda found: found[1] + ("\\" if found[2] == ">" else "") + found[2], marked
    )


def _flat(text: Any) -> str:
    if isinstance(text, str):
        return text
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "")
        for part in _list(text)
        if isinstance(part, str | dict)
    )


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _buttons(message: Mapping[str, Any], target: ForeignArchive, place: str) -> ButtonRows:
    """The buttons that open a page; others need the bot that made them."""
    rows: list[tuple[Button, ...]] = []
    for row in _list(message.get("inline_bot_buttons")):
        kept: list[Button] = []
        for one in _list(row):
            address = str(one.get("data") or "") if isinstance(one, dict) else ""
            if isinstance(one, dict) and one.get("type") == "url" and is_web_address(address):
                action = Action(kind=ActionKind.LINK, value=address)
                kept.append(Button(text=one_line(str(one.get("text") or "")), action=action))
            else:
                target.report.leave("buttons of bots", "their bot is not here", place)
        if kept:
            rows.append(tuple(kept))
    return tuple(rows)


def _location(message: Mapping[str, Any]) -> Location | None:
    place = message.get("location_information")
    if not isinstance(place, dict):
        return None
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Location(
        latitude=latitude,
        longitude=longitude,
        name=one_line(str(message.get("place_name") or ""))[:200],
        address=one_line(str(message.get("address") or ""))[:200],
    )


def _head_of(file: Path) -> Mapping[str, Any]:
    """The fields before the messages. Raises: MovingRefused."""
    try:
        with file.open(encoding="utf-8") as source:
            text = source.read(HEAD_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise MovingRefused("not_an_export", f"{file} cannot be read: {error}") from error
    found = _MESSAGES.search(text)
    if '"chats"' in text[: found.start() if found else len(text)]:
        raise MovingRefused(
            "not_an_export",
            "It is the export of a whole account. Open the channel in Telegram Desktop, and export its history"
            " as JSON.",
        )
    if found is None:
        raise MovingRefused("not_an_export", f"{file} is no export of Telegram.")
    try:
        head = json.loads(as_json(text[: found.end()]) + "]}")
    except (ValueError, RecursionError) as error:
        raise MovingRefused("not_an_export", f"{file} is no export of Telegram: {error}") from error
    return head if isinstance(head, dict) else {}


def as_json(text: str) -> str:
    r"""The text with what is no JSON in it as Telegram Desktop meant it: escapes as `\x1B`, and ids without quotes."""
    if "\\x" in text:
        text = _BAD_ESCAPE.sub(r"\1\\u00\2", text)
    return _BARE_ID.sub(r'\1"\2"', text)


def read_messages(file: Path) -> Iterator[Any]:
    """Yield the messages, in memory for some of them. Raises: MovingRefused."""
    decoder = json.JSONDecoder()
    with file.open(encoding="utf-8", errors="replace") as source:
        buffer = source.read(HEAD_BYTES)
        found = _MESSAGES.search(buffer)
        if found is None:
            raise MovingRefused("not_an_export", f"{file} is no export of Telegram.")
        place, number = found.end(), 0
        while True:
            between = _BETWEEN.match(buffer, place)
            place = between.end() if between is not None else place
            if buffer[place : place + 1] == "]":
                return
            try:
                message, place = decoder.raw_decode(buffer, place)
            except RecursionError as error:
                raise MovingRefused("bad_line", f"Message {number + 1} is too deep.") from error
            except ValueError as error:
                rest = buffer[place:]
                buffer, place = as_json(rest), 0
                if buffer != rest:
                    continue
                more = source.read(PIECE)
                if not more:
                    raise MovingRefused(
                        "bad_line", f"The file ends, or is damaged, in message {number + 1}."
                    ) from error
                buffer, place = buffer[place:] + more, 0
                if len(buffer) > MESSAGE_BYTES:
                    raise MovingRefused(
                        "too_large", f"Message {number + 1} is damaged, or too long."
                    ) from error
                continue
            number += 1
            yield message
