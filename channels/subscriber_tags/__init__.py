"""Tags on the subscribers of channels, and the segments of subscribers that tags select.

Tags belong to a channel's staff and to the back end. Subscribers never see them: they are in no event.
"""
