"""Placeholder until the scene is written (being replaced)."""


async def fill_if_empty(services: object) -> bool:
    """Fill nothing yet."""
    return False
