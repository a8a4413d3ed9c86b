"""Pictures redrawn in a process of their own, under limits of memory and processor time.

What it promises: an upload that unpacks to too much is refused, and costs the server neither memory nor its event loop;
a redrawn picture carries nothing of the upload but its pixels.

What it depends on: the standard library and Pillow, nothing of ours, so that a worker process stays small. The server's
side, which starts the workers and hands out turns, is `groups.service.media.image_workers`.
"""
