"""The demo scene: a small believable world for `channels serve --demo`.

What it promises: it is made only in a database without a group; everything goes through the services, so all rules and
promises hold for it; made twice at once, by processes that start together, it is there once. Its past lies in the last
days, whenever it is made.

What it depends on: services that are composed for a clock of its own (`Compose`), since the past has to be written as
the present of its time.

    await fill_if_empty(services, lambda clock: create_services(database, limits, clock=clock))
"""
