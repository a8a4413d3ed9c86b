"""The demo scene: a small, believable world for `channels serve --demo`.

Promises:
    The scene is only created in a database without groups.
    Everything is written through the services, so all rules and promises hold for it.
    Processes that start together create it once.
    Its posts and messages lie in the last days, whenever it is created.

To write posts of the past, the scene needs services with a clock of its own (`Compose`).

    await fill_if_empty(services, lambda clock: create_services(database, limits, clock=clock))
"""
