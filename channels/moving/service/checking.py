"""Checks an export before anything of it is written, and yields its lines to the import.

Promises: what passes can be written without breaking a promise of the server: seqs are dense, nothing is there twice,
what is named exists, limits of the deployment hold, every upload is there with the right bytes. A refusal names the
line. Memory does not grow with the file: lines come in a fixed order, so each is compared with the one before.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from channels.limits import Limits
from channels.models import ChannelProfile
from channels.moving.archive import ArchiveReader
from channels.moving.bounds import is_web_address, problem_in_buttons
from channels.moving.errors import MovingRefused
from channels.moving.lines import content_from_json
from channels.moving.models import (
    FORMAT,
    LINES,
    VERSION,
    AcknowledgementLine,
    ChannelLine,
    DraftLine,
    End,
    Header,
    LineModel,
    MemberLine,
    MessageLine,
    PressLine,
    ReactionLine,
    RestrictionLine,
    TableLine,
    VoteLine,
    check_texts,
)
from channels.moving.tables import TABLES, Table
from channels.self_service.menus.models import Menu
from groups.errors import StorageQuotaReached
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    CHANNEL_MARKER,
    Content,
    Group,
    GroupType,
    Kind,
    Model,
    Posting,
    Role,
    media_in,
)
from groups.service.media.service import KINDS_OF
from groups.service.media.upload_files import limits_of
from groups.service.messages.posting import check_bounds, check_media_quota
from reactions.models import ACKNOWLEDGED, vote_text

_RANK: Final[Mapping[str, int]] = {
    "header": 0,
    "channel": 1,
    "member": 2,
    "restriction": 3,
    **dict.fromkeys(
        (
            *("post", "reaction", "vote", "press", "acknowledgement"),
            *("comment", "comment_reaction"),
        ),
        4,
    ),
    "draft": 5,
    **{table.line: 6 + number for number, table in enumerate(TABLES)},
    "end": 1_000,
}
_TABLES: Final = {table.line: table for table in TABLES}
_WITH_MEDIA: Final = {Kind.IMAGE, Kind.TEXT_AND_IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.FILE}
_REACTIONS_KINDS: Final = 1_000
"""The most different emoji on one message that any setting of a channel allows."""
_BUTTONS_EVER: Final = 100
"""The most buttons of one post with counted presses, with those that edits took away."""
_RETENTION_DAYS: Final = 3_650


@dataclass(slots=True)
class Checked:
    """The content of a checked export, as far as the import must know it in advance."""

    channel: ChannelLine
    group: Group
    profile: ChannelProfile
    owner_id: UserId | None = None
    head_seq: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    admins: int = 0
    menu_version: int = 0
    tags: Counter[str] = field(default_factory=Counter)
    """The members by tag."""
    media: dict[str, None] = field(default_factory=dict)
    """The hashes of the uploads that lines name."""


def read_lines(archive: ArchiveReader) -> Iterator[tuple[int, LineModel]]:
    """Yield the lines of the archive with their numbers. Raises: MovingRefused."""
    for number, line in enumerate(archive.lines(), 1):
        yield number, parse_line(line, number)


def parse_line(line: bytes, number: int) -> LineModel:
    """The line by its type. Raises: MovingRefused."""
    try:
        values = orjson.loads(line)
        if not isinstance(values, dict) or not isinstance(values.get("type"), str):
            raise MovingRefused("bad_line", "It is no JSON object with a type.", line=number)
        check_texts(values)
        kind = values["type"]
        model = TableLine if kind in _TABLES else LINES.get(kind)
        if model is None:
            raise MovingRefused("bad_line", f"There is no type {kind[:40]!r}.", line=number)
        return model.model_validate(values)
    except orjson.JSONDecodeError as error:
        raise MovingRefused("bad_line", f"It is no JSON: {error}", line=number) from error
    except ValidationError as error:
        raise MovingRefused("bad_line", said_by(error), line=number) from error
    except (PydanticCustomError, RecursionError) as error:
        raise MovingRefused("bad_line", f"A text {error}", line=number) from error


def said_by(error: ValidationError) -> str:
    """The first problem that the error names, in one sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def group_of(line: ChannelLine, channel_id: GroupId, owner_id: UserId) -> Group:
    """The group of the channel as it is to be stored, without its members. Raises: ValidationError, ValueError."""
    given = dict(line.group)
    custom = given.pop("custom", None) or {}
    if not isinstance(custom, dict):
        raise ValueError("group.custom must be an object")
    fixed = {
        "group_id": channel_id,
        "owner_id": owner_id,
        "custom": {**custom, CHANNEL_MARKER: "1"},
        "member_count": 0,
        "version": 1,
        "verified": False,
        "suspension": None,
        "has_requests": False,
    }
    overlap = (fixed.keys() & given.keys()) - {"custom"}
    if overlap:
        raise ValueError(f"group.{min(overlap)} does not belong to an export")
    return Group.model_validate({**given, **fixed})


class Checker:
    """Checks the lines of one archive, in their order."""

    def __init__(self, archive: ArchiveReader, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._line = 0
        self._rank = -1
        self._found: Checked | None = None
        self._last_key: Any = None
        self._post: MessageLine | None = None
        self._comment: MessageLine | None = None
        self._comment_seq = 0
        self._emoji: set[str] = set()
        self._pressed: set[int] = set()
        self._content: Content | None = None
        self._pins = 0
        self._owners = 0
        self._media_bytes = 0
        self._scheduled = 0
        self._drafts = 0
        self._rows = 0
        self._seqs_of_members = 0
        self._is_over = False

    def check(self) -> Checked:
        """Check everything. Raises: MovingRefused."""
        digest = hashlib.sha256()
        for number, raw in enumerate(self._archive.lines(), 1):
            self._line = number
            if self._is_over:
                raise self._refused("wrong_order", "Nothing may follow the line of type end.")
            line = parse_line(raw, number)
            if isinstance(line, End):
                self._check_end(line, digest.hexdigest())
            else:
                self._check_order(line)
                self._check_line(line)
            digest.update(raw)
        found = self._checked
        if not self._is_over:
            raise MovingRefused("wrong_count", "The last line, of type end, is missing.")
        for upload in found.media:
            self._archive.check_media(upload)
        unused = self._archive.media.keys() - found.media.keys()
        if unused:
            raise MovingRefused("bad_archive", f"No line names media/{min(unused)}.")
        return found

    @property
    def _checked(self) -> Checked:
        if self._found is None:
            raise MovingRefused("not_an_export", "The line of type channel is missing.")
        return self._found

    def _refused(self, reason: Any, detail: str) -> MovingRefused:
        return MovingRefused(reason, detail, line=self._line)

    def _check_order(self, line: Any) -> None:
        rank = _RANK[line.type]
        if self._line == 1 and rank != 0:
            raise MovingRefused("not_an_export", "The first line must be of type header.")
        if rank < self._rank or (rank == self._rank and rank < 2):
            raise self._refused("wrong_order", f"A line of type {line.type} comes too late.")
        if rank > 1 and self._found is None:
            raise self._refused("wrong_order", "The second line must be of type channel.")
        if rank > self._rank:
            self._last_key = None
            self._rows = 0
        self._rank = rank

    def _check_line(self, line: LineModel) -> None:
        match line:
            case Header():
                if line.format != FORMAT:
                    raise self._refused("not_an_export", "It is another format.")
                if line.version != VERSION:
                    raise self._refused(
                        "unknown_version",
                        f"It has version {line.version}; this program reads version {VERSION}.",
                    )
            case ChannelLine():
                self._check_channel(line)
            case MemberLine():
                self._check_member(line)
            case RestrictionLine():
                self._ascending(line.user_id)
            case MessageLine():
                self._check_message(line)
            case ReactionLine() | VoteLine() | PressLine() | AcknowledgementLine():
                self._check_reaction(line)
            case DraftLine():
                self._check_draft(line)
            case TableLine():
                self._check_row(line)
        if not isinstance(line, Header):
            self._checked.counts[line.type] += 1  # type: ignore[attr-defined]  # every line has one

    def _ascending(self, *key: Any) -> None:
        if self._last_key is not None and key <= self._last_key:
            raise self._refused("wrong_order", "It is there twice, or not in the right order.")
        self._last_key = key

    # --- the channel and its members ----------------------------------------------------------------------------------

    def _check_channel(self, line: ChannelLine) -> None:
        try:
            group = group_of(line, line.channel_id, UserId("nobody"))
            profile = ChannelProfile.model_validate({**line.profile, "channel_id": line.channel_id})
        except ValidationError as error:
            raise self._refused("bad_line", said_by(error)) from error
        except ValueError as error:
            raise self._refused("bad_line", str(error)) from error
        is_channel = (
            group.type is GroupType.COMMUNITY
            and group.posting is Posting.OWNER_AND_ADMINS
            and group.history_visible
        )
        if not is_channel:
            raise self._refused("bad_line", "It is no channel.")
        if "menu_version" in line.profile:
            raise self._refused("bad_line", "profile.menu_version does not belong to an export.")
        if not 0 <= group.retention_days <= _RETENTION_DAYS or not 0 <= group.ended_seq < 2**53:
            raise self._refused("bad_line", "retention_days or ended_seq is out of range.")
        if media_in(group.face_url) is not None:
            raise self._refused("bad_line", "group.face_url names an upload; picture does so.")
        self._check_profile(group, profile)
        # What has ended is not there; the first post is the one behind it.
        self._found = Checked(channel=line, group=group, profile=profile, head_seq=group.ended_seq)
        if line.picture is not None:
            self._use(line.picture, None)

    def _check_profile(self, group: Group, profile: ChannelProfile) -> None:
        limits = self._limits
        texts = (
            ("name", group.name, limits.channel_name_bytes),
            ("introduction", group.introduction, limits.channel_introduction_bytes),
            ("notification", group.notification, limits.group_notification_bytes),
            ("face_url", group.face_url, limits.face_url_bytes),
            ("organization", profile.organization, limits.channel_organization_bytes),
            ("custom_data", profile.custom_data, limits.channel_custom_data_bytes),
        )
        for name, text, limit in texts:
            if len(text.encode()) > limit:
                raise self._refused("too_large", f"{name} has more than {limit} bytes.")
        if not group.name.strip() or "\n" in group.name:
            raise self._refused("bad_line", "The name must be one line that shows something.")
        if group.face_url and not is_web_address(group.face_url):
            raise self._refused("bad_line", "face_url must be an http or https address.")
        custom_bytes = [len(value.encode()) for value in group.custom.values()]
        if len(custom_bytes) > limits.custom_fields + 1 or any(
            size > limits.custom_value_bytes for size in custom_bytes
        ):
            raise self._refused("limit_reached", "The custom fields are too many, or too long.")

    def _check_member(self, line: MemberLine) -> None:
        self._ascending(line.user_id)
        found = self._checked
        if line.role is Role.OWNER:
            self._owners += 1
            found.owner_id = line.user_id
            if self._owners > 1:
                raise self._refused("bad_line", "There are two owners.")
        elif line.role is Role.ADMIN:
            found.admins += 1
            limit = self._limits.admins
            if found.admins > limit:
                raise self._refused("limit_reached", f"At most {limit} admins (LIMIT_ADMINS).")
        elif line.grants is not None:
            raise self._refused("bad_line", "Only an admin has grants.")
        if len(line.name_card.encode()) > self._limits.name_card_bytes:
            raise self._refused("too_large", "The name card is too long (LIMIT_NAME_CARD_BYTES).")
        limit = found.group.limit_of_members(self._limits)
        if found.counts["member"] >= limit:
            raise self._refused("limit_reached", f"At most {limit} members.")
        self._seqs_of_members = max(self._seqs_of_members, line.joined_seq, line.read_seq)
        if len(set(line.tags)) < len(line.tags):
            raise self._refused("bad_line", "A tag is there twice.")
        found.tags.update(line.tags)
        if len(found.tags) > self._limits.subscriber_tags:
            raise self._refused(
                "limit_reached",
                f"At most {self._limits.subscriber_tags} different tags (LIMIT_SUBSCRIBER_TAGS).",
            )

    # --- messages -----------------------------------------------------------------------------------------------------

    def _check_message(self, line: MessageLine) -> None:
        if (line.content is None) != (line.recalled_at is not None):
            raise self._refused("bad_line", "A deleted message has recalled_at and no content.")
        if line.quoted_seq is not None and line.quoted_seq >= line.seq:
            raise self._refused("bad_line", "It quotes a message that is not before it.")
        if line.type == "post":
            self._check_post(line)
        else:
            self._check_comment(line)
        self._last_key = None
        self._emoji, self._pressed = set(), set()
        self._content = None
        if line.content is not None:
            content = self._check_content(line.content)
            self._content = content
            is_plain = content.kind is not Kind.POLL and not content.buttons
            if line.type == "comment" and (not is_plain or content.acknowledge):
                raise self._refused(
                    "bad_line", "A comment is no poll, and asks for nothing to be pressed."
                )
            if line.type == "post":
                self._check_quota(content)

    def _check_quota(self, content: Content) -> None:
        limit = self._limits.channel_media_bytes
        try:
            check_media_quota(self._media_bytes, content.media_bytes, limit)
        except StorageQuotaReached as error:
            raise self._refused("limit_reached", error.detail) from error
        self._media_bytes += content.media_bytes

    def _check_post(self, line: MessageLine) -> None:
        found = self._checked
        if line.post_seq is not None:
            raise self._refused("bad_line", "A post has no post_seq.")
        if line.seq != found.head_seq + 1:
            raise self._refused("wrong_order", f"The next post must have seq {found.head_seq + 1}.")
        found.head_seq = line.seq
        if line.pinned_at is not None:
            self._pins += 1
            if line.content is None:
                raise self._refused("bad_line", "A deleted post is not pinned.")
            if self._pins > self._limits.pinned_messages:
                limit = self._limits.pinned_messages
                raise self._refused(
                    "limit_reached", f"At most {limit} pinned posts (LIMIT_PINNED_MESSAGES)."
                )
        self._post, self._comment, self._comment_seq = line, None, 0

    def _check_comment(self, line: MessageLine) -> None:
        if self._post is None or line.post_seq != self._post.seq:
            raise self._refused("wrong_order", "A comment must follow its post.")
        if self._post.content is None:
            raise self._refused("bad_line", "A deleted post has no comments.")
        if line.seq != self._comment_seq + 1:
            raise self._refused(
                "wrong_order", f"The next comment must have seq {self._comment_seq + 1}."
            )
        if line.pinned_at or line.views or line.member_count is not None or line.reminded_at:
            raise self._refused("bad_line", "A comment has a field that only posts have.")
        self._comment, self._comment_seq = line, line.seq
        limit = self._limits.comments_per_post
        if self._comment_seq > limit:
            raise self._refused(
                "limit_reached", f"At most {limit} comments a post (LIMIT_COMMENTS_PER_POST)."
            )

    def _check_reaction(
        self, line: ReactionLine | VoteLine | PressLine | AcknowledgementLine
    ) -> None:
        is_of_comment = line.type == "comment_reaction"
        message = self._comment if is_of_comment else self._post
        post_seq = line.post_seq if isinstance(line, ReactionLine) else None
        expected = self._post.seq if is_of_comment and self._post is not None else None
        if message is None or line.seq != message.seq or post_seq != expected:
            raise self._refused("wrong_order", "It must follow its message.")
        if not is_of_comment and self._comment is not None:
            raise self._refused("wrong_order", "It must come before the comments.")
        if message.content is None:
            raise self._refused("bad_line", "A deleted message has no reactions.")
        if isinstance(line, VoteLine):
            poll = self._content.poll if self._content is not None else None
            if poll is None or line.option >= len(poll.options):
                raise self._refused("bad_line", "There is no such option.")
            if (
                not poll.multiple
                and self._last_key is not None
                and self._last_key[0] == line.user_id
                and self._last_key[1].startswith("vote:")
            ):
                raise self._refused("bad_line", "A voter has one vote in this poll.")
            self._ascending(line.user_id, vote_text(line.option))
            return
        if isinstance(line, PressLine):
            self._check_press(line)
            return
        if isinstance(line, AcknowledgementLine):
            if self._content is None or not self._content.acknowledge:
                raise self._refused("bad_line", "The post does not ask for it.")
            self._ascending(line.user_id, ACKNOWLEDGED)
            return
        self._ascending(line.user_id, line.emoji)
        self._emoji.add(line.emoji)
        if len(self._emoji) > _REACTIONS_KINDS:
            raise self._refused("limit_reached", f"At most {_REACTIONS_KINDS} different emoji.")

    def _check_press(self, line: PressLine) -> None:
        # The button may be gone: its presses stay counted, and show again where an edit brings it back.
        if self._content is None or self._content.kind is Kind.POLL:
            raise self._refused("bad_line", "A poll has no buttons.")
        self._ascending(line.user_id, vote_text(line.button))
        self._pressed.add(line.button)
        if len(self._pressed) > _BUTTONS_EVER:
            raise self._refused("limit_reached", f"At most {_BUTTONS_EVER} buttons of one post.")

    def _check_content(self, values: Mapping[str, Any]) -> Content:
        try:
            content = content_from_json(values)
            check_bounds(content, self._limits)
            problem = _problem_in(content) or problem_in_buttons(content, self._limits)
        except ValidationError as error:
            raise self._refused("bad_line", f"content.{said_by(error)}") from error
        except PydanticCustomError as error:
            raise self._refused("bad_line", f"content: {error}") from error
        except DomainError as error:
            raise self._refused("too_large", error.detail) from error
        if problem is not None:
            raise self._refused("bad_line", problem)
        for one in content.media:
            self._use(one.media_id, limits_of(self._limits)[one.kind])
        return content

    def _use(self, digest: str, limit: int | None) -> None:
        size = self._archive.media.get(digest)
        if size is None:
            raise self._refused("bad_media", f"The zip holds no media/{digest[:64]}.")
        if limit is not None and size > limit:
            raise self._refused("too_large", f"media/{digest} has more than {limit} bytes.")
        self._checked.media[digest] = None

    # --- the rest -----------------------------------------------------------------------------------------------------

    def _check_draft(self, line: DraftLine) -> None:
        self._ascending(line.draft_id)
        self._check_content(line.content)
        if line.publish_at is not None:
            self._scheduled += 1
        else:
            self._drafts += 1
        for name, number in (("scheduled_posts", self._scheduled), ("drafts", self._drafts)):
            limit = getattr(self._limits, name)
            if number > limit:
                raise self._refused("limit_reached", f"At most {limit} (LIMIT_{name.upper()}).")

    def _check_row(self, line: TableLine) -> None:
        table = _TABLES[line.type]
        try:
            model = row_of(table, line, self._checked.channel.channel_id)
            problem = table.problem(model, self._limits)
        except ValidationError as error:
            raise self._refused("bad_line", said_by(error)) from error
        except DomainError as error:
            raise self._refused("too_large", error.detail) from error
        if problem is not None:
            raise self._refused("bad_line", problem)
        self._ascending(*(getattr(model, name) for name in table.key))
        self._rows += table.is_limited(model)
        if isinstance(model, Menu):
            self._checked.menu_version = model.version
        limit = getattr(self._limits, table.limit) if table.limit is not None else None
        if limit is not None and self._rows > limit:
            raise self._refused(
                "limit_reached", f"At most {limit} (LIMIT_{str(table.limit).upper()})."
            )

    def _check_end(self, line: End, digest: str) -> None:
        found = self._checked
        counts = {"header": 1, **found.counts}
        if line.counts != counts:
            wrong = min(
                name
                for name in counts.keys() | line.counts.keys()
                if counts.get(name) != line.counts.get(name)
            )
            raise self._refused(
                "wrong_count",
                f"There are {counts.get(wrong, 0)} lines of type {wrong}, not {line.counts.get(wrong, 0)}.",
            )
        if line.sha256 != digest:
            raise self._refused("wrong_hash", "The lines before it have another hash.")
        marking = found.group.marking
        if self._seqs_of_members > found.head_seq or (
            marking is not None and marking.head_seq > found.head_seq
        ):
            raise self._refused("bad_line", f"A line names a post behind seq {found.head_seq}.")
        self._is_over = True


def row_of(table: Table, line: TableLine, channel_id: GroupId) -> Model:
    """The row of a table. Raises: ValidationError."""
    return table.model.model_validate({**(line.model_extra or {}), "channel_id": channel_id})


def document_of(table: Table, line: TableLine, channel_id: GroupId) -> dict[str, Any]:
    """The fields of a row of a table, as they are stored. Raises: ValidationError."""
    model = row_of(table, line, channel_id)
    document = model.model_dump(mode="python")
    if not table.is_channel_stored:
        del document["channel_id"]
    content = getattr(model, "content", None)
    if isinstance(content, Content):
        document["content"] = content.to_stored()
    return document


def _problem_in(content: Content) -> str | None:
    """The reasons for which the API would refuse the content."""
    own = content.own_media
    if content.kind in {Kind.TEXT, Kind.TEXT_AND_IMAGE} and not content.text.strip():
        return "The text is empty."
    if (content.kind in _WITH_MEDIA) is not bool(own):
        return f"A message of kind {content.kind.value} has the wrong uploads."
    if len(own) > 1 and content.kind in {Kind.AUDIO, Kind.FILE}:
        return f"A message of kind {content.kind.value} has one upload."
    if content.kind is Kind.VIDEO and len(own) > 2:
        return "A video has one poster."
    kinds = KINDS_OF.get(content.kind, frozenset())
    for place, one in enumerate(own):
        is_poster = content.kind is Kind.VIDEO and place == 1
        if one.kind not in (KINDS_OF[Kind.IMAGE] if is_poster else kinds):
            return f"A message of kind {content.kind.value} has no {one.kind.value}."
    for link in content.links:
        if not link.title or not is_web_address(link.url):
            return "A link needs a title, and an http or https address."
    images = [one.media_id for one in content.media[len(own) :]]
    if images != [link.image for link in content.links if link.image]:
        return "The pictures of links must be the last uploads."
    if (content.kind is Kind.LOCATION) is not (content.location is not None):
        return "Only a message of kind location has a place."
    if content.location is not None and not (
        -90 <= content.location.latitude <= 90 and -180 <= content.location.longitude <= 180
    ):
        return "The place is not on Earth."
    if content.kind is Kind.FORM_ANSWER or content.form_answer is not None:
        return "The answer to a form is a one-to-one message."
    if (content.kind is Kind.POLL) is not (content.poll is not None):
        return "Only a message of kind poll has a poll."
    poll = content.poll
    if poll is not None and (
        len(poll.options) < 2
        or len(set(poll.options)) != len(poll.options)
        or not all(text.strip() for text in (poll.question, *poll.options))
    ):
        return "A poll has a question, and two or more options that differ."
    if content.custom_json is not None:
        try:
            orjson.loads(content.custom_json)
        except orjson.JSONDecodeError:
            return "custom_json is no JSON."
    return None
