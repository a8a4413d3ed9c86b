"""The life of a message: posted in batches, read in pages, edited, deleted for everyone, pinned, forwarded."""
