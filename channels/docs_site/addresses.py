"""The addresses of the site. Whoever mounts its routes needs them before anything is read or rendered."""

from typing import Final

HOME: Final = "/docs"
API: Final = f"{HOME}/api"
SCHEMAS: Final = f"{API}/schemas"
SEARCH: Final = f"{HOME}/search"
ASSETS: Final = f"{HOME}/assets"
PICTURE_TYPES: Final = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
"""The types of pictures that are served, by the ending of their names."""
