"""The web app: a reader for everyone and a console for channel owners, plain files without a build step.

Here are its files (`static`, `templates`) and how they are packed for the wire (`assets`); `channels.server.web.static`
serves them. The app itself speaks to the API like any other client, so nothing here knows a rule.
"""
