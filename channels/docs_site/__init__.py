"""The documentation site: the guides of `channels/docs` and the API reference, as the pages at `/docs`.

`guides` reads the guides and their navigation, `markdown` renders one, `search` finds words in them, `api_reference`
renders the OpenAPI document, and `pages` puts all of it into the templates. `channels.server.web.pages.docs` serves it.
Nothing here knows HTTP, and nothing is read or rendered before it is requested.
"""
