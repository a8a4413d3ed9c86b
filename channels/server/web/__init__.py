"""HTTP: the connection and its protocol, routing, requests, responses, errors, uploads, pages, the API description."""
