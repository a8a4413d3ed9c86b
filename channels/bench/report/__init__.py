"""The outcome of a run: a table on the terminal, and files to keep, to publish and to compare.

Promises: everything shown is in the `Report`, nothing is measured or judged here. The files stand alone: they contain
no script and fetch nothing. One report gives the same bytes each time.

Depends on `channels.bench.models`; rich draws the table, pygal the charts, jinja the page.
"""
