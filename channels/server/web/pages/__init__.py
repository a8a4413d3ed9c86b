"""The pages that a browser shows: web app, guides, public channels, SDK, demo, and the page for what is not there."""
