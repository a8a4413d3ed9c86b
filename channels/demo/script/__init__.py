"""Who is in the scene and what they say."""
