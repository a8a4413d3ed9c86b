"""Images redrawn, and sounds and videos measured, in a process of their own, under limits of memory and processor time.

Promises: an upload that unpacks to too much is refused, and costs the server neither memory nor its event loop. A
redrawn image carries nothing of the upload but its pixels.

Depends on: the standard library, Pillow and tinytag, nothing of ours, so that a worker process stays small. The
server's side, which starts the workers and queues uploads for them, is `groups.service.media.image_workers`.
"""
