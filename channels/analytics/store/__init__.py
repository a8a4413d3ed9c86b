"""The stores of analytics."""
