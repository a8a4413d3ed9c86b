"""Who is in the scene and what they say."""

from channels.demo.script.channels import CHANNELS
from channels.demo.script.chats import CHATS, TABS
from channels.demo.script.models import Chat, OfficialChannel, Said
from channels.demo.script.people import PEOPLE

__all__ = ["CHANNELS", "CHATS", "PEOPLE", "TABS", "Chat", "OfficialChannel", "Said"]
