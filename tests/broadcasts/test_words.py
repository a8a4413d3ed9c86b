"""The words by which a user opts out of broadcasts, and takes that back."""

import pytest

from channels.broadcasts.policy import wants_broadcasts
from groups.models import Content, Kind


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        *(
            (word, False)
            for word in ("stop", "STOP!", " Stopp. ", "arrêt", "退订", "إيقاف", "ＳＴＯＰ")
        ),
        *((word, True) for word in ("start", "Start!", "订阅", "ابدأ", "Старт")),
        *((word, None) for word in ("", "!", "stop it", "please stop", "restart", "st op" * 9)),
    ],
)
def test_only_the_word_alone_says_something_of_broadcasts(text: str, wants: bool | None) -> None:
    assert wants_broadcasts(Content(kind=Kind.TEXT, text=text)) is wants


def test_other_content_says_nothing_of_them() -> None:
    assert wants_broadcasts(Content(kind=Kind.CUSTOM, text="stop", custom_json="{}")) is None
    assert wants_broadcasts(None) is None
