"""Events as clients see them: the type, the fields, and the receivers.

The socket sends them. A view is rendered once for all its receivers, so it holds nothing personal, and a view of a
channel never names the admin who wrote. One event may have several views: the removed user and the remaining members,
for example, get different ones.
"""
