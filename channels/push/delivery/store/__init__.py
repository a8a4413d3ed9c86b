"""The collections of delivery."""
