"""Exports of Telegram and WhatsApp, as real ones look: what becomes a post, and what the report says of the rest."""

import json
import zipfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from channels.moving.errors import MovingRefused
from channels.moving.foreign.telegram import escaped, read_messages, wrapped
from channels.moving.foreign.whatsapp import WhatsAppExport, WhatsAppFolder, _begin, marks
from channels.moving.foreign.writer import ForeignArchive, ForeignPost
from channels.moving.report import Report
from groups.kernel.text.markup import plain_beginning
from groups.models import Location
from tests.api import Api
from tests.groups.test_media import MP4, photo
from tests.moving.test_round_trip import findings, imported

on_server = pytest.mark.asyncio(loop_scope="module")


def message(number: int, text: Any = "", **more: Any) -> dict[str, Any]:
    seconds = 1_721_654_100 + number
    entities = text if isinstance(text, list) else [{"type": "plain", "text": text}] if text else []
    return {
        "id": number,
        "type": "message",
        "date": "2024-07-22T15:15:00",
        "date_unixtime": str(seconds),
        "from": "Tea News",
        "from_id": "channel10629372799",
        "text": text,
        "text_entities": entities,
        **more,
    }


MISSING = "(File not included. Change data exporting settings to download.)"
LONG = "Tea, " * 3_000


def a_telegram_export(folder: Path) -> Path:
    (folder / "photos").mkdir(parents=True)
    (folder / "video_files").mkdir()
    (folder / "photos" / "photo_1@22-07-2024.jpg").write_bytes(photo())
    (folder / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(200))
    (folder / "video_files" / "film.mp4").write_bytes(MP4)
    (folder.parent / "secret.txt").write_text("secret")
    bold = [
        {"type": "bold", "text": "Now "},
        {"type": "plain", "text": "2*3 [x] & "},
        {"type": "text_link", "text": "tea", "href": "https://example.org/tea"},
        {"type": "plain", "text": " "},
        {"type": "link", "text": "https://example.org/a_b_c"},
        {"type": "spoiler", "text": " hush"},
        {"type": "blockquote", "text": "Said\nso"},
        {"type": "pre", "text": "x = 1", "language": "python"},
    ]
    messages = [
        {
            "id": 1,
            "type": "service",
            "date": "2024-07-22T15:15:00",
            "date_unixtime": "1721654101",
            "actor": "Tea News",
            "action": "create_channel",
        },
        message(2, bold, author="Ada", edited="2024-07-22T16:00:00", edited_unixtime="1721656800"),
        message(
            3,
            "Look",
            photo="photos/photo_1@22-07-2024.jpg",
            width=40,
            height=60,
            reactions=[
                {"type": "emoji", "count": 7, "emoji": "🔥"},
                {"type": "custom_emoji", "count": 2, "document_id": "x"},
            ],
        ),
        message(
            4,
            file="video_files/film.mp4",
            media_type="video_file",
            file_name="Tea.mp4",
            inline_bot_buttons=[
                [
                    {"type": "url", "text": "Shop", "data": "https://example.org/shop"},
                    {"type": "callback", "text": "Like", "dataBase64": "bGlrZQ", "data": ""},
                ]
            ],
        ),
        message(5, "Gone", photo=MISSING),
        message(6, photo="../secret.txt"),
        message(7, photo="photos/broken.jpg"),
        message(
            8,
            poll={
                "question": "Tea?",
                "closed": True,
                "total_voters": 9,
                "answers": [{"text": "Yes", "voters": 9}, {"text": "No", "voters": 0}],
            },
        ),
        message(9, "Agreed", reply_to_message_id=3, forwarded_from="Milk News"),
        message(10, LONG),
        message(11, location_information={"latitude": 53.5, "longitude": 10.0}),
        message(12, contact_information={"first_name": "Ada", "phone_number": "1"}),
        {"id": 13, "type": "unsupported"},
        {
            "id": 14,
            "type": "service",
            "date": "2024-07-23T15:15:00",
            "date_unixtime": "1721740500",
            "action": "pin_message",
            "message_id": 3,
        },
    ]
    head = {"name": "Tea News", "type": "public_channel", "id": 10629372799}
    (folder / "result.json").write_text(
        json.dumps({**head, "messages": messages}, ensure_ascii=False, indent=1)
    )
    return folder


@on_server
async def test_a_telegram_export_becomes_a_channel(shared_api: Api, tmp_path: Path) -> None:
    source = a_telegram_export(tmp_path / "ChatExport")
    dry = await imported(shared_api, source, is_dry=True)
    done = await imported(shared_api, source / "result.json", channel_id="tea", owner="ada")
    assert dry[1:] == done[1:], "the report of a dry run is that of a real one"
    said = "\n".join(done)
    for line in (
        "9  posts",
        "1  pins",
        "1  replies: begin with a quote of what they answer (message 9)",
        "9  reactions: the export does not name all who reacted (message 3)",
        "9  votes in polls: the export does not name the voters (message 8)",
        "1  buttons\n",
        "1  buttons of bots: their bot is not here (message 4)",
        "1  photos: the export was made without them (message 5)",
        "1  photos: their path leads out of the export (message 6)",
        "1  photos: no readable picture",
        "1  service messages: create_channel (message 1)",
        "1  contacts: have no form here (message 12)",
        "1  messages: not supported by the export (message 13)",
        "1  long texts: continued in a further post (message 10)",
    ):
        assert line in said, said
    ada = shared_api.user_of("ada")
    posts = (await ada.get("/v1/channels/tea/posts?limit=100")).items[::-1]
    assert [post["kind"] for post in posts] == [
        *("text", "text_and_image", "video", "text", "poll", "text", "text", "text", "location")
    ]
    assert posts[0]["text"] == (
        "**Now** 2\\*3 \\[x] & [tea](https://example.org/tea) https://example.org/a_b_c hush\n"
        "> Said\n> so\n```python\nx = 1\n```"
    )
    assert (posts[0]["signature"], posts[0]["edited_at"]) == ("Ada", "2024-07-22T14:00:00.000Z")
    assert posts[0]["created_at"] == "2024-07-22T13:15:02.000Z"
    assert posts[1]["images"][0]["width"] == 40, "turned upright"
    assert posts[2]["video"]["name"] == "Tea.mp4"
    assert [[one["text"] for one in row] for row in posts[2]["buttons"]] == [["Shop"]]
    assert posts[4]["poll"]["closes_at"] == posts[4]["created_at"]
    assert posts[5]["text"] == "> Look\n\nAgreed"
    assert posts[5]["forwarded_from"]["name"] == "Milk News"
    pins = (await ada.get("/v1/channels/tea/pins")).items
    assert [pin["seq"] for pin in pins] == [2]
    assert (await shared_api.user_of("eve").get("/v1/channels/tea")).status == 404, "private"
    assert await findings(shared_api.services.database) == []


IOS = """\
[15.03.24, 09:12:45] Tea: \u200eMessages and calls are end-to-end encrypted. No one outside of this chat can read them.
[15.03.24, 09:13:01] Ada: Good *morning*, ~all~
second line: with a colon
\u200e[15.03.24, 09:14:00] Bob: \u200e<attached: 00000012-PHOTO-2024-03-15-09-14-00.jpg>
[15.03.24, 09:15:00] Bob: \u200eimage omitted
[15.03.24, 09:16:00] Bob: \u200eThis message was deleted.
[15.03.24, 09:17:00] Ada: Later \u200e<This message was edited>
[15.03.24, 09:18:00] Ada: \u200ePOLL:
Tea?
\u200eOPTION: Yes (2 votes)
\u200eOPTION: No (0 votes)

[15.03.24, 09:19:00] Ada: \u200e<attached: 00000013-VIDEO-2024-03-15-09-19-00.mp4>
"""
ANDROID = """\
3/14/24, 9:12\u202fPM - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.
3/14/24, 9:13\u202fPM - Ada created group "Tea: all"
3/14/24, 9:14\u202fPM - Ada: Good *morning*, ~all~
second line: with a colon
3/14/24, 9:14\u202fPM - Bob: IMG-20240314-WA0001.jpg (file attached)
Our caption
3/14/24, 9:15\u202fPM - Bob: <Media omitted>
3/14/24, 9:16\u202fPM - Bob: This message was deleted
3/14/24, 9:17\u202fPM - Ada: Later <This message was edited>
3/14/24, 9:18\u202fPM - Ada: POLL:
Tea?
OPTION: Yes (2 votes)
OPTION: No (0 votes)

3/14/24, 9:19\u202fPM - Ada: VID-20240314-WA0002.mp4 (file attached)
"""


@on_server
@pytest.mark.parametrize("system", ["ios", "android"])
async def test_a_whatsapp_export_becomes_a_channel(
    shared_api: Api, tmp_path: Path, system: str
) -> None:
    source = tmp_path / "WhatsApp Chat - Tea.zip"
    with zipfile.ZipFile(source, "w") as file:
        if system == "ios":
            file.writestr("_chat.txt", IOS)
            file.writestr("00000012-PHOTO-2024-03-15-09-14-00.jpg", photo())
        else:
            file.writestr("WhatsApp Chat with Tea.txt", ANDROID)
            file.writestr("IMG-20240314-WA0001.jpg", photo())
    channel = f"whatsapp-{system}"
    dry = await imported(shared_api, source, is_dry=True, time_zone="Europe/Berlin")
    done = await imported(
        shared_api, source, channel_id=channel, owner="ada", time_zone="Europe/Berlin"
    )
    assert dry[1:] == done[1:]
    said = "\n".join(done)
    for line in (
        "4  posts",
        "1  media: the export was made without them",
        "1  deleted messages: their text is gone",
        "1  edited messages: without the time of the edit",
        "1  polls: as text with their numbers of votes",
        "1  videos: the file is not beside the text",
        f"{1 if system == 'ios' else 2}  system messages: notices of WhatsApp",
    ):
        assert line in said, said
    ada = shared_api.user_of("ada")
    posts = (await ada.get(f"/v1/channels/{channel}/posts?limit=100")).items[::-1]
    assert [(post["signature"], post["text"]) for post in posts] == [
        ("Ada", "Good **morning**, ~~all~~\nsecond line: with a colon"),
        ("Bob", None if system == "ios" else "Our caption"),
        ("Ada", "Later"),
        ("Ada", "Tea?\n- Yes: 2\n- No: 0"),
    ]
    first = "2024-03-15T08:13:01.000Z" if system == "ios" else "2024-03-14T20:14:00.000Z"
    assert posts[0]["created_at"] == first
    assert await findings(shared_api.services.database) == []


@pytest.mark.parametrize(
    ("line", "hour"),
    [
        ("[2024/3/15, 21:12:45] Ada: Hi", 21),
        ("15/03/2024 21:12 - Ada: Hi", 21),
        ("15.03.24, 21:12 - Ada: Hi", 21),
        ("15/3/24, 9:12 p.\xa0m. - Ada: Hi", 21),
        ("[15/03/24, 9:12:45\u202fPM] Ada: Hi", 21),
        ("2024/3/15 下午9:12 - Ada: Hi", 21),
        ("\u200e[15-03-2024, 12:12:45 AM] Ada: Hi", 0),
        ("١٥\u200f/٠٣\u200f/٢٠٢٤، ٩:١٢ م - Ada: Hi", 21),
        ("[١٥\u200f/٣\u200f/٢٠٢٤، ٩:١٢:٠٠ ص] Ada: Hi", 9),
        ("[15.03.24 um 21:12:45] Ada: Hi", 21),
        ("[15.3.2024 klo 21.12.45] Ada: Hi", 21),
        ("[15/3/2024, 9:12:59\u2009pm] Ada: Hi", 21),
        ("15/3/2024, 9:12\xa0p.\xa0m. - Ada: Hi", 21),
        ("2024-03-15, 9:12 p.m. - Ada: Hi", 21),
        ("15.03.24 г., 21:12 ч. - Ada: Hi", 21),
        ("2024. 3. 15. 오후 9:12 - Ada: Hi", 21),
        ("15/3/24, 9:12 PTG - Ada: Hi", 21),
        ("15/3/24, 9:12 PG - Ada: Hi", 9),
        ("15/3/2024 9:12 ÖS - Ada: Hi", 21),
        ("15/3/24, 9:12 μ.μ. - Ada: Hi", 21),
    ],
)
def test_dates_of_many_phones_are_read(line: str, hour: int) -> None:
    begun = _begin(line)
    assert begun is not None
    parts, text = begun
    assert (parts.hour, parts.minute, text) == (hour, 12, "Ada: Hi")


@pytest.mark.parametrize(
    "line",
    [
        *("", "Hi", "15.03.24 is the day", "[1] first", "1.5 - 2.5: no", "12:30 - lunch"),
        *("1/1/24, " + " " * 1_000_000, "[1/1/24" + "\u200e" * 1_000_000),
    ],
    ids=len,
)
def test_other_lines_continue_the_message_before(line: str) -> None:
    assert _begin(line) is None


MANY_KINDS = """\
07.03.26, 21:22 - Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.
07.03.26, 21:23 - \u202a+49 170 1234567\u202c: Nummer ٥
07.03.26, 21:24 - Ada: ABSTIMMUNG:
Tee?
OPTION: Ja (1 Stimme)
OPTION: Nein (7 Stimmen)

07.03.26, 21:25 - Ada: DOC-20260307-WA0000. (Datei angehängt)
07.03.26, 21:26 - Ada: Später <Diese Nachricht wurde bearbeitet.>
07.03.26, 21:27 - Ada: Standort: https://maps.google.com/?q=53.5461,9.9937
07.03.26, 21:28 - Ada: null
07.03.26, 21:29 - Ada: <Video note omitted>
07.03.26, 21:30 - Ada: Diese Nachricht wurde von ~ Bob gelöscht.
07.03.26, 21:31 - Ada: Waiting for this message. This may take a while.
\u200e[07.03.26, 21:32:00] ~\u202fAda: Seht \u200eBild weggelassen
\u200e[07.03.26, 21:33:00] Ada: Plan.pdf • \u200e2 Seiten \u200eDokument weggelassen
[07.03.26, 21:34:00] Ada: \u200eEVENT: Picnic
[07.03.26, 21:35:00] Ada: \u200eAda added Bob
[07.03.26, 21:36:00] Ada: POLL:
Cake?
\u200eOPTION: Yes (2 votes)
[07.03.26, 21:37:00] Ada: TODO: tea
[07.03.26, 21:38:00] Ada: \u200e<Anhang: 00000012-PHOTO-2026-03-07-21-38-00.jpg>
"""


class Collected:
    """Takes the posts of an import instead of an archive."""

    def __init__(self) -> None:
        self.report = Report("WhatsApp")
        self.posts: list[ForeignPost] = []
        self.name = ""

    def begin(self, name: str, created_at: datetime) -> None:
        self.name = name

    async def add(self, post: ForeignPost) -> None:
        self.posts.append(post)

    def end(self) -> None:
        pass


async def test_kinds_of_messages_of_many_phones_are_told_apart(tmp_path: Path) -> None:
    """In German and English, of Android and iOS."""
    folder = tmp_path / "WhatsApp Chat - Tee & Co"
    folder.mkdir()
    (folder / "_chat.txt").write_text(MANY_KINDS)
    (folder / "._chat.txt").write_bytes(b"\x00\x05\x16\x07")
    collected = Collected()
    with ExitStack() as stack:
        export = WhatsAppExport(WhatsAppFolder(folder, stack), UTC)
        await export.convert(cast(ForeignArchive, collected))
    assert collected.name == "Tee & Co"
    assert [(post.signature, post.text) for post in collected.posts] == [
        ("+49 170 1234567", "Nummer ٥"),
        ("Ada", "Tee?\n- Ja: 1\n- Nein: 7"),
        ("Ada", "Später"),
        ("Ada", ""),
        ("Ada", "Seht"),
        ("Ada", "EVENT: Picnic"),
        ("Ada", "Cake?\n- Yes: 2"),
        ("Ada", "TODO: tea"),
    ]
    assert collected.posts[3].location == Location(latitude=53.5461, longitude=9.9937)
    assert {key: one.number for key, one in collected.report.not_taken.items()} == {
        ("system messages", "notices of WhatsApp"): 2,
        ("files", "the file is not beside the text"): 1,
        ("photos", "the file is not beside the text"): 1,
        ("media", "they were to be seen once"): 1,
        ("media", "the export was made without them"): 3,
        ("deleted messages", "their text is gone"): 1,
        ("messages", "they had not arrived at the phone"): 1,
        ("messages", "nothing of them is left"): 2,
    }


def test_what_is_no_json_in_an_export_of_telegram_is_read(tmp_path: Path) -> None:
    """Telegram Desktop writes control characters as C does, and its version 4.1 ids of emoji without quotes."""
    source = tmp_path / "result.json"
    text = [{"type": "custom_emoji", "text": "x", "document_id": "@"}]
    messages = [
        *(message(1, "a^b \\x41"), message(2, text), message(3, "c" * 2**20), message(4, "^d"))
    ]
    written = json.dumps({"name": "Tea", "messages": messages}, indent=1)
    written = written.replace('"@"', "video_files/sticker (2).webm").replace("^", "\\x1B")
    source.write_text(written)
    read = list(read_messages(source))
    assert [one["id"] for one in read] == [1, 2, 3, 4]
    assert (read[0]["text"], read[3]["text"]) == ("a\x1bb \\x41", "\x1bd")
    assert read[1]["text"][0]["document_id"] == "video_files/sticker (2).webm"


def test_escaped_text_shows_as_it_was() -> None:
    text = "2*3*4 _x_ [a](b) `c` ~~d~~ \\ snake_case"
    assert plain_beginning(escaped(text)) == text
    assert wrapped(" a\n\nb ", "**") == " **a**\n\n**b** "
    assert marks("*a* 2*3*4 ~b~ a~b") == "**a** 2*3*4 ~~b~~ a~b"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"chats": {"list": []}}', "not_an_export"),
        ('{"name": "x"}', "not_an_export"),
        ('{"name": "x", "messages": [{"id": 1, ', "bad_line"),
        ('{"name": "x", "messages": [' + "[" * 100_000, "bad_line"),
        ('{"name": "x", "messages": ["' + "a" * (17 * 2**20), "too_large"),
    ],
)
@on_server
async def test_a_broken_telegram_export_is_refused(
    shared_api: Api, tmp_path: Path, text: str, reason: str
) -> None:
    source = tmp_path / "result.json"
    source.write_text(text)
    with pytest.raises(MovingRefused) as refused:
        await imported(shared_api, source, is_dry=True)
    assert refused.value.reason == reason
