"""The README stays short, and its two commands stay as they are. `tests/docs` runs its example."""

import re
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[1] / "README.md"
MOST_BYTES: Final = 8_192
"""What a newcomer reads at one sitting; everything else is in the guides."""


def test_the_readme_is_short() -> None:
    assert README.stat().st_size <= MOST_BYTES


def test_both_commands_install_what_they_need() -> None:
    blocks = re.findall(
        r"^```sh\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert blocks[:2] == [
        "pip install -e '.[embedded]' && channels serve --demo\n",
        "pip install -e '.[dev]' && pytest\n",
    ]
