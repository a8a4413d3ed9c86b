"""The calls of the API, a class for each resource. All of them are methods of `Client`'s attributes."""
