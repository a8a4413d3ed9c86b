"""The life of a message: posted, read in pages, edited, deleted for everyone, pinned, forwarded."""
