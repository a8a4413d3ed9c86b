"""The bounds of reactions that are not a group's own settings (those: `groups.limits`)."""

from typing import Final

BASIC_REACTIONS: Final = ("👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "🔥")
"""What the setting `basic` allows, each in its canonical spelling; ours, close to what WhatsApp offers first."""
