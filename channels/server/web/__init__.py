"""HTTP: the connection and its protocol, routing, requests, responses, errors, the API description."""
