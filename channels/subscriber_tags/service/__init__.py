"""Services of tags on subscribers."""
