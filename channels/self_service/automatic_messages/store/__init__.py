"""The stores of automatic messages."""
