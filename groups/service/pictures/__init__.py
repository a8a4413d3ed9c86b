"""Redrawing of uploaded pictures in worker processes, and the users' turns at them."""
