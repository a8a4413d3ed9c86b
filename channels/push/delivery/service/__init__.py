"""How messages become notifications."""
