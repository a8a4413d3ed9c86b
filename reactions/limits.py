"""Limits of reactions, beside those that are settings of a group (`groups.limits`)."""

from typing import Final

BASIC_REACTIONS: Final = ("👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "🔥")
"""The emoji that the setting `basic` allows, in canonical spelling; our choice, close to the first ones in WhatsApp."""
