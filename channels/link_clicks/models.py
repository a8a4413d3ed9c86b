"""The models of clicks on links."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """A link of a post, and how many users opened it."""

    url: str
    clicks: int
