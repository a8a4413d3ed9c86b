"""What actors may see and do: one actor in a group, many actors in a group, one actor in many groups."""
