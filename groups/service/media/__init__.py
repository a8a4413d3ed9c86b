"""Uploads: received within quotas, stored, redrawn in worker processes, deleted when nothing uses them."""
