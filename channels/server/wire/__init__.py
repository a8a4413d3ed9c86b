"""Domain events as the socket tells them: names, audience, fields.

One event may be told twice in different words: who was removed hears of it, and so do those who stay. Rendering
knows no reader, so that a frame is encoded once for all who get it: nothing personal is in a frame for many, and a
channel's frame never names the admin who wrote.
"""
