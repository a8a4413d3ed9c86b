"""Links to channels and posts: the address, its QR code, and the lines that show a channel on another site."""
