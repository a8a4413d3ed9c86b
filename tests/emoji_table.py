"""Writes the emoji of the web app's picker, from the Unicode tables that the npm package `emojibase-data` carries.

    npm pack emojibase-data && tar xzf emojibase-data-*.tgz
    python -m tests.emoji_table package en de zh-Hans

The second and further arguments are the languages whose names are written, `names_<language>.js` each: an emoji of the
table is one line there, its name, `|`, and words that find it. What a language does not name has its name in the first.
A language whose file is new is added to `NAMES` in `picker.js`. Only emoji that this server accepts as reactions are in
the table.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from groups.kernel.text.emoji import canonical_emoji

TARGET: Final = Path(__file__).parents[1] / "channels/console/static/js/ui/emoji"
GROUPS: Final = {
    0: "smileys",
    1: "people",
    3: "nature",
    4: "food",
    5: "places",
    6: "activities",
    7: "objects",
    8: "symbols",
    9: "flags",
}
"""By their numbers in the package. Number 2 are the parts of emoji, such as skin tones."""
FOLDERS: Final = {"zh-Hans": "zh"}
"""The package's names of languages, where the app has others."""
TONES: Final = "🏻🏼🏽🏾🏿"
_VARIATION: Final = "\ufe0f"


def toned(emoji: str, tone: str) -> str:
    """The emoji with a skin tone, as the picker makes it: behind the first character."""
    return emoji[0] + tone + emoji[1:].removeprefix(_VARIATION)


def _has_tones(row: dict[str, Any]) -> bool:
    found = [skin["unicode"] for skin in row.get("skins", ())]
    return [toned(row["unicode"], tone) for tone in TONES] == found


def write(package: Path, languages: list[str]) -> None:
    """Write the table, and the names in these languages."""
    of_language = {
        language: {row["hexcode"]: row for row in json.loads(_compact(package, language))}
        for language in languages
    }
    rows = [row for row in of_language[languages[0]].values() if row.get("group") in GROUPS]
    # Reactions are stored in this spelling.
    rows = [{**row, "unicode": canonical_emoji(row["unicode"])} for row in rows]
    rows = sorted(
        (row for row in rows if row["unicode"]),
        key=lambda row: (list(GROUPS).index(row["group"]), row["order"]),
    )
    lines = [
        "// Emoji by group, in the order of Unicode; those that take a skin tone are marked with `+`. Written by",
        "// `tests/emoji_table.py`.",
        "",
        "export default {",
    ]
    for number, name in GROUPS.items():
        marked = [
            row["unicode"] + ("+" if _has_tones(row) else "")
            for row in rows
            if row["group"] == number
        ]
        lines.append(f'  {name}: "{" ".join(marked)}",')
    (TARGET / "table.js").write_text("\n".join([*lines, "};", ""]), encoding="utf-8")
    for language, known in of_language.items():
        names = [_name(known.get(row["hexcode"], row)) for row in rows]
        text = "\n".join(
            [
                "// Names of emoji and words that find them, in the order of `table.js`. Written by",
                "// `tests/emoji_table.py`.",
                "",
                "export default `",
                *names,
                "`;",
                "",
            ]
        )
        (TARGET / f"names_{language}.js").write_text(text, encoding="utf-8")


def _name(row: dict[str, Any]) -> str:
    label = row["label"]
    seen = set(label.lower().split())
    tags = [tag for tag in row.get("tags", ()) if tag.lower() not in seen and "|" not in tag]
    text = f"{label}|{' '.join(tags)}" if tags else label
    return str(text).replace("\\", "").replace("`", "").replace("$", "")


def _compact(package: Path, language: str) -> str:
    return (package / FOLDERS.get(language, language) / "compact.json").read_text(encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2:] or ["en"])
