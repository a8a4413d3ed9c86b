"""The event of menus."""

from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId


class MenuSelected(Event):
    """A user chose an entry that sends data to the channel's back end. The `staff`, who read the inbox, receive it."""

    type: Literal["menu.selected"] = "menu.selected"
    channel_id: GroupId
    user_id: UserId
    staff: tuple[UserId, ...] = ()
    entry: str
    text: str
    data: str

    @property
    def routes(self) -> tuple[str, ...]:
        return self.staff
