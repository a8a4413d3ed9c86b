"""One class for each collection of broadcasts."""
