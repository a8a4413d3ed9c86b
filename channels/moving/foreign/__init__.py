"""Turns exports of other programs into archives of our own format, which the import then reads."""
