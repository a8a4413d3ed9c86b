"""The benchmark that anyone can rerun: what the server's calls cost, beside baselines measured in the same run.

Promises: every figure is taken through the API of a real server on a real database, and each is a ratio to something
bare (an empty HTTP handler, the queries alone, `insert_many`, a loop of `send_str`, an MQTT broker) measured a moment
before or after on the same machine, so that runs on different machines can be compared. Bounded in count and time; what
it makes, it removes.

It is a client of the product: it starts `channels serve` as anybody would, and knows of the database only what the bare
queries need (`bench.store`). Load comes from processes of its own (`load`, `listeners`) that tell how busy they were.
"""
