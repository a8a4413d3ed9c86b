"""The rights of actors: one actor in a group, many actors in a group, one actor in many groups."""
