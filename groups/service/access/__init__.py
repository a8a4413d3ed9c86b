"""What an actor may know and do in a group: the guard for one actor, for a whole batch, for lists of groups."""
