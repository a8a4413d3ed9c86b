"""The services of analytics."""
