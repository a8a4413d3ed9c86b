"""Writes the parts of the guides that come from the code: settings, limits, errors, permissions, commands and more.

A page has a generated block between `<!-- generated: limits -->` and `<!-- end of generated -->`. The command
`python -m channels.docs_site.generated` writes every block anew; with `--check` it only says which pages are outdated.
This is a tool above the server, like the command line: it may import everything, and no other module imports it.
"""
