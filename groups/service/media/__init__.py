"""Uploads: received within quotas, redrawn where they are images, stored, deleted when nothing uses them."""
