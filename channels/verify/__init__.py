"""`channels verify`: checks whether the stored data keeps the promises.

It reads committed snapshots, so a busy server causes no false findings. Without `repair` it writes nothing. With it, it
repairs what can be derived from other records, in transactions that check again before they write, and then runs all
checks once more.
"""
