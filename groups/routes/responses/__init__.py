"""What the group calls take and answer."""
