"""The web app: a reader for everyone and a console for channel owners, as plain files without a build step.

`static` and `templates` hold the files, `assets` prepares them for HTTP, `shell` renders the app's page, and `public`
renders the public page of a channel and its feeds. `channels.server.web.pages` serves them. The app uses the HTTP API
like any other client, so nothing here knows a rule of channels.
"""
