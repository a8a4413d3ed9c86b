"""The operator's settings of the review, and its bounds."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

ANSWER_BYTES: Final = 256 * 1024
"""A longer answer counts as a failure. A message has 12 KiB, and JSON writes a character in six bytes at most."""
SECONDS: Final = 2.0
"""For a review, the wait for a place included."""
AT_ONCE: Final = 64  # reviews of a process that are under way; others wait for a place
TEXT_CHARACTERS: Final = 500  # of the reason that a refusal gives the writer


class OnFailure(StrEnum):
    """The treatment of a message that cannot be reviewed."""

    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforePostOptions:
    """The address that reviews messages."""

    url: str
    secret: str = field(repr=False)
    """`whsec_` and base64, as Standard Webhooks has it."""
    on_failure: OnFailure = OnFailure.REFUSE
