"""The actor: the first argument of every service method."""

from dataclasses import dataclass

from groups.kernel.ids import UserId


@dataclass(frozen=True, slots=True)
class Actor:
    """The authenticated user that a call is made for.

    `is_app_admin`: the application's own back end or console (token scope `admin`). It has an owner's rights in every
    group without being a member. Personal acts (reading, reacting, joining) it does as its own user.
    `is_business`: a business account (token scope `business`), which runs channels and does nothing as a person.
    """

    user_id: UserId
    is_app_admin: bool = False
    is_business: bool = False
