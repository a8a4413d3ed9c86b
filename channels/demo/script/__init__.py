"""The people, channels and chats of the scene, as data."""
