"""The WebSocket: sessions, the hub that fans events out, frames and their delivery."""
