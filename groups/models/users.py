"""What users show of themselves."""

from groups.kernel.ids import UserId
from groups.models.base import Model


class User(Model):
    """What a user shows of himself; a user without a record is known by id alone."""

    user_id: UserId
    name: str = ""
    face_url: str = ""
