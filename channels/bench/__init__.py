"""The benchmark that anyone can rerun: what the server's calls cost, beside baselines measured in the same run.

Promises: every figure is taken through the API of a real server on a real database. Most are compared with something
bare (an empty HTTP handler, the queries alone, `insert_many`, a loop of `send_str`, an MQTT broker), measured a moment
before or after on the same machine, so that runs on different machines can be compared. A run is bounded in count and
time, and removes its data.

It is a client of the product: it starts `channels serve`, and only the bare queries (`bench.store`) know the database.
Load comes from processes of its own (`load`, `listeners`) that report how busy they were.
"""
