"""Endpoints, the consumer of the log, the dispatcher that sends, and what clears away."""
