"""The HTTP face of channels."""
