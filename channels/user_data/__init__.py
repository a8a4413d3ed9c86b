"""The data of one user: their export, and their deletion from everything that the server stores."""
