"""Search in texts: what is alike, which terms find a text, and where a query matches it. Pure, without a database.

`folding` makes texts comparable, `tokens` cuts them, `terms` are what an index stores of them, and `query` is what a
user writes. The database finds candidates by terms; `SearchQuery.match` decides, so a term may find too much, never too
little:

    every text that a query matches has all terms of the query, as far as its first `MOST_TERMS` terms reach
"""
