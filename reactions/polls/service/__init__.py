"""Voting in polls and closing them."""
