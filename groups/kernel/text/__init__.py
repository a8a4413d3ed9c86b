"""Texts: types of bounded length, marks, emoji, and the words by which a search finds them."""
