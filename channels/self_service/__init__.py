"""All that a channel does for people by itself: its menu, its forms, its greeting and its automatic answers."""
