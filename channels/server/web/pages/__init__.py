"""What a browser shows: the web app, guides, public channels, the SDK, the demo, and the page for what is not there."""
