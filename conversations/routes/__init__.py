"""The HTTP face of conversations: what it takes and answers (`views`), and the calls."""
