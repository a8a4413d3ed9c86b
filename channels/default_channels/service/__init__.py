"""The services of default channels."""
