"""Bodies that are larger than memory should hold: uploads, NDJSON, and server-sent events."""
