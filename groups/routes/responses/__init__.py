"""The bodies and responses of group calls."""
