"""The collections of push notifications."""
