"""The life of a group: created, found, updated, disbanded, and cleaned up in the background."""
