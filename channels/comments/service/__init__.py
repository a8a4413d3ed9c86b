"""The calls on comments."""
