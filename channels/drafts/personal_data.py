"""Where drafts hold the ids of users. Their uploads are released before (`DraftCleanup.forget`)."""

from typing import Final

from groups.kernel.personal_data import Export, Find, Place, Then

PLACES: Final = (
    Place(
        "drafts",
        "author_id",
        Then.DELETE,
        at="created_at",
        export=Export(
            type="draft",
            fields=("channel_id", "content", "created_at", "updated_at", "publish_at"),
            find=Find.WALK,
        ),
    ),
)
