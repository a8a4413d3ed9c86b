"""The settings: read from the environment once, frozen, passed in. No other module reads the environment.

Every field is `CHANNELS_<FIELD>`, every limit `CHANNELS_LIMIT_<NAME>`. A command-line flag overrides its variable.
Invalid values are refused at the start with the name of the variable; values of secrets are never shown.
"""

import base64
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    FilePath,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from channels.before_post.models import BeforePostOptions, OnFailure
from channels.limits import Limits
from channels.policy import CreatePolicy
from channels.push.options import TTL_SECONDS, PushOptions
from channels.push.senders.vapid import BadVapidKey, check_private_key, new_private_key
from channels.server.data_dir import (
    SECRET_BYTES,
    load_or_create_secret,
    load_or_create_vapid_key,
)
from channels.server.identity.options import ProviderOptions
from channels.server.options import ServiceOptions
from channels.server.startup import StartupError
from channels.share_links.models import ShareOptions
from channels.user_data.policy import UserDataOptions
from groups.kernel.database_options import EVENT_RETENTION_SECONDS, KEYS_PER_TRANSACTION, Driver

_ORIGIN: Final = re.compile(r"https?://[^/\s?#@]+")
_HEADER_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/=]{16,1024}")  # as RFC 6750 has them
_SCOPE: Final = r"^[\x21\x23-\x5b\x5d-\x7e]+$"  # one word, as RFC 6749 has it
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PREFIX: Final = "CHANNELS_"
_LIMIT_PREFIX: Final = "CHANNELS_LIMIT_"
_HARMLESS: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
_NEW_VAPID_KEY: Final = (
    "python -c 'from channels.push.senders.vapid import new_private_key as new; print(new())'"
)
_NEW_WEBHOOK_SECRET: Final = "echo whsec_$(head -c 32 /dev/urandom | base64)"
_NEW_SECRET: Final = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"


class _LimitsFromEnvironment(PydanticBaseSettingsSource):
    """`CHANNELS_LIMIT_POSTS_PER_SECOND` becomes `limits.posts_per_second`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if field_name != "limits":
            return None, field_name, False
        values = {
            variable.removeprefix(_LIMIT_PREFIX).lower(): value
            for variable, value in os.environ.items()
            if variable.startswith(_LIMIT_PREFIX) and value
        }
        return values or None, field_name, False

    def __call__(self) -> dict[str, Any]:
        value, name, _ = self.get_field_value(self.settings_cls.model_fields["limits"], "limits")
        return {} if value is None else {name: value}


def _default_data_dir() -> Path:
    # Independent of the working directory, so the same user always finds the same data.
    base = os.environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative paths are ignored
        base = os.path.expanduser("~/.local/share")
    return Path(base) / "channels"


@dataclass(frozen=True, slots=True)
class Unset:
    """What holds while the variable of a setting is not set, for the guide."""

    meaning: str


class Settings(BaseSettings):
    """The settings of this deployment. Made by `Settings.load`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,  # compose files leave empty variables
        extra="ignore",  # Kubernetes sets CHANNELS_SERVICE_HOST and more for a service of this name
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    mongodb_uri: Annotated[str | None, Unset("the server starts its own MongoDB")] = Field(
        default=None, repr=False
    )
    """The connection string of the MongoDB replica set to use. One node is enough; a standalone server is refused.

    It is never shown, as it may hold a password.
    """
    driver: Driver = Driver.MOTOR
    """The library that talks to MongoDB: Motor, or the asyncio API of PyMongo, which takes less processor time.

    See [how to choose](../how-to/deploy.md#the-driver).
    """
    keys_per_transaction: int = Field(default=KEYS_PER_TRANSACTION, ge=1, le=10_000)
    """How many channels, streams or messages one transaction may change.

    A process commits what waits in shared transactions. On a sharded cluster such a transaction spans the shards of its
    keys, which costs more than one shard's: choose 16 there, and measure.
    """
    event_retention_seconds: int = Field(default=EVENT_RETENTION_SECONDS, ge=3_600, le=31_536_000)
    """How long an event stays in the log, for consumers that were away: a day by default.

    It takes the space of all events of that time. A consumer that was away for longer loses the oldest, and says so.
    """
    database: str = Field(default="channels", min_length=1, max_length=63)
    """The name of the database on that replica set."""
    secret: Annotated[
        SecretStr | None,
        Unset("made once, in the data directory; required with `CHANNELS_MONGODB_URI`"),
    ] = None
    """The key that tokens are signed with (HS256), 32 bytes or more. All servers on one database need the same."""
    previous_secret: Annotated[SecretStr | None, Unset("only `CHANNELS_SECRET` is accepted")] = None
    """The key before `CHANNELS_SECRET`, while it is changed. Tokens signed with it are accepted while it is set."""
    jwks_url: Annotated[str | None, Unset("there is no identity provider")] = None
    """The address of an identity provider's public keys (JWKS). Its tokens are then accepted beside those that are
    signed with the secret.

    It begins with `https://`; `http://` is for this machine alone. See [identity
    providers](../how-to/identity-providers.md).
    """
    jwks_file: Annotated[
        FilePath | None, Unset("the keys are fetched from `CHANNELS_JWKS_URL`")
    ] = None
    """A file of this machine with those keys, instead of an address. It is read again every hour."""
    token_issuer: Annotated[
        tuple[str, ...], NoDecode, Unset("none; required with an identity provider")
    ] = ()
    """The issuers (`iss`), separated by commas, whose tokens are accepted, exactly as the tokens have them."""
    token_audience: Annotated[
        tuple[str, ...], NoDecode, Unset("none; required with an identity provider")
    ] = ()
    """The audiences (`aud`), separated by commas, of which a token must have one: the names of this server at the
    identity provider."""
    token_user_claim: str = Field(default="sub", min_length=1, max_length=200)
    """The claim that holds the user's id. A UUID becomes the id without its hyphens, since an id has 32 bytes."""
    token_admin_scope: Annotated[
        str | None, Unset("no token of the identity provider is an app admin")
    ] = Field(default=None, pattern=_SCOPE)
    """The scope (in `scope` or `scp`) that makes a token of the identity provider an app admin's."""
    token_business_scope: Annotated[
        str | None, Unset("no user of the identity provider is a business account")
    ] = Field(default=None, pattern=_SCOPE)
    """The scope that makes a token of the identity provider a business account's."""
    before_post_url: Annotated[str | None, Unset("no message is reviewed")] = Field(
        default=None, pattern=r"^https?://[^/?#\s@]+(/[^\s#]*)?$"
    )
    """The address of your back end that reviews every message before it is stored.

    See [moderate before posting](../how-to/moderate-before-posting.md).
    """
    before_post_secret: Annotated[
        SecretStr | None, Unset("none; required with `CHANNELS_BEFORE_POST_URL`")
    ] = None
    """The key that these requests are signed with: `whsec_` and the base64 of 24 to 64 random bytes."""
    before_post_on_failure: OnFailure = OnFailure.REFUSE
    """What happens to a message that cannot be reviewed: `refuse` (503, the writer tries again) or `allow` (it is
    stored)."""
    host: str = Field(default="127.0.0.1", min_length=1)
    """The address to listen on. `0.0.0.0` is every address of the machine."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """The port to listen on. 0 takes any free one, which the server prints."""
    data_dir: Annotated[
        Path, Unset("`~/.local/share/channels`, or `channels` in `XDG_DATA_HOME`")
    ] = Field(default_factory=_default_data_dir)
    """The directory of the embedded database, its log, and the secret."""
    workers: int = Field(default=1, ge=1, le=256)
    """Server processes that share the port and the database. One process uses one core."""
    create_policy: CreatePolicy = "anyone"
    """Who may create channels: any user (`anyone`), only callers whose token has the scope `business` or `admin`
    (`business`), or only those with `admin` (`admin`)."""
    public_pages: Literal["index", "noindex", "off"] = "noindex"
    """Pages of public channels at `/c/{id}`, for everyone: `index` (search engines may list them), `noindex`, `off`."""
    public_url: Annotated[str | None, Unset("links are relative")] = Field(
        default=None, pattern=r"^https?://[^/?#\s]+/?$"
    )
    """The address that visitors know this server by, such as `https://news.example`, for links in feeds and previews.

    Without it links in feeds are relative, which RSS and JSON Feed do not allow, and pages have no `og:url` and no
    `og:image`.
    """
    sign_in_url: Annotated[str | None, Unset("the web app asks for a token")] = Field(
        default=None, pattern=r"^https?://[^/?#\s]+[^#\s]*$"
    )
    """The page of your application that signs people in, such as `https://app.example/sign-in`. The web app leads to
    it, with the address to come back to as `return_to`."""
    vapid_private_key: Annotated[
        SecretStr | None,
        Unset("made once, in the data directory; with `CHANNELS_MONGODB_URI` there is no Web Push"),
    ] = None
    """The private key of Web Push: 32 bytes in base64url. All servers on one database need the same.

    Browsers subscribe for this key, so with another one they get nothing any more.
    """
    vapid_subject: Annotated[
        str | None, Unset("`CHANNELS_PUBLIC_URL`, where that begins with `https:`")
    ] = Field(default=None, pattern=r"^(mailto:[^@\s]+@\S+|https://\S+)$")
    """Whom push services may write to about your messages: `mailto:` and an address, or an `https:` address.

    Required with `CHANNELS_VAPID_PRIVATE_KEY`, unless `CHANNELS_PUBLIC_URL` can take its place.
    """
    push_gateway_url: Annotated[str | None, Unset("apps on phones are not notified")] = Field(
        default=None, pattern=r"^https?://[^/?#\s]+(/\S*)?$"
    )
    """The address of your push gateway, which hands notifications to Apple's and Google's services."""
    push_gateway_secret: Annotated[
        SecretStr | None, Unset("required with `CHANNELS_PUSH_GATEWAY_URL`")
    ] = None
    """The secret of the signatures that your push gateway checks: `whsec_` and base64 of 24 to 64 bytes."""
    user_export: bool = True
    """Whether users may [export](../how-to/leave.md#export) all that is stored of them. Your back end always may."""
    user_deletion: bool = False
    """Whether users may [delete](../how-to/leave.md#delete) themselves with all that is stored of them.

    Your back end always may. Turn it on if accounts live here; where they live in your application, let it ask.
    """
    push_previews: bool = True
    """Whether notifications hold names and texts. Without them, apps show what the message's keys stand for."""
    push_ttl_seconds: int = Field(default=TTL_SECONDS, ge=60, le=2_419_200)
    """How long a message is worth a notification, also for a device that is switched off: a day by default."""
    metrics_token: Annotated[SecretStr | None, Unset("everyone may read `/metrics`")] = None
    """The token that `/metrics` requires (`Authorization: Bearer …`), 16 characters or more."""
    log_format: Annotated[
        Literal["text", "json"] | None, Unset("`text` on a terminal, `json` otherwise")
    ] = None
    """The format of the log."""
    tracing: Literal["off", "otel"] = "off"
    """Traces by OpenTelemetry (`otel`), which need the extra `otel`. The standard `OTEL_…` variables say where they go.

    See [traces](../how-to/monitor.md#traces).
    """
    embedded_cache_gb: float = Field(default=0.5, ge=0.25, le=10_000)
    """Memory for the embedded database's cache, in GB. MongoDB needs at least 0.25."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode, Unset("only pages of this server")] = ()
    """Origins, separated by commas, whose pages may call the API from a browser; `*`: all."""
    trusted_proxies: Annotated[
        tuple[IPvAnyNetwork, ...],
        NoDecode,
        Unset("`X-Forwarded-For` is ignored, and all clients of a proxy count as one address"),
    ] = ()
    """Addresses and networks, separated by commas, of proxies whose `X-Forwarded-For` is trusted."""
    webhook_allowed_networks: Annotated[
        tuple[IPvAnyNetwork, ...],
        NoDecode,
        Unset("webhooks and push subscriptions lead to public addresses only, by https"),
    ] = ()
    """Networks inside, separated by commas, to which webhooks and push subscriptions may lead: `10.1.0.0/16`.

    Webhooks may be sent there by http too. Whoever may create a webhook or register a browser can make the server send
    requests there.
    """
    link_preview_allowed_networks: Annotated[
        tuple[IPvAnyNetwork, ...],
        NoDecode,
        Unset("link previews show public pages only, by https"),
    ] = ()
    """Networks inside, separated by commas, whose pages [link previews](../how-to/link-previews.md) may show.

    By http too. Every user can then read titles, descriptions and pictures of pages there.
    """
    limits: Limits = Field(default_factory=Limits)
    """`CHANNELS_LIMIT_<NAME>` sets each limit."""
    is_worker: bool = False
    """Set by `channels serve --workers` for its worker processes."""
    is_beside_data: bool = False
    """Set for worker processes that share the embedded database in `data_dir`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then the environment. No `.env` file: settings must not depend on the working directory."""
        return init_settings, _LimitsFromEnvironment(settings_cls), env_settings

    @field_validator("secret", "previous_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < SECRET_BYTES:
            raise ValueError(f"must be at least {SECRET_BYTES} bytes long; make one: {_NEW_SECRET}")
        return secret

    @field_validator("metrics_token")
    @classmethod
    def _sendable(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not _HEADER_TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError(
                f"must be 16 or more letters, digits or -._~+/= and nothing else; make one: {_NEW_SECRET}"
            )
        return token

    @field_validator("vapid_private_key")
    @classmethod
    def _a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            try:
                check_private_key(key.get_secret_value())
            except BadVapidKey as error:
                raise ValueError(f"{error}; make one: {_NEW_VAPID_KEY}") from None
        return key

    @field_validator("before_post_secret", "push_gateway_secret")
    @classmethod
    def _standard(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        kind, _, text = secret.get_secret_value().partition("_")
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if kind != "whsec" or not 24 <= len(key) <= 64:
            raise ValueError(
                f"must be `whsec_` and the base64 of 24 to 64 random bytes; make one: {_NEW_WEBHOOK_SECRET}"
            )
        return secret

    @model_validator(mode="after")
    def _signed_reviews(self) -> Self:
        if self.before_post_url is not None and self.before_post_secret is None:
            raise ValueError(
                "CHANNELS_BEFORE_POST_URL needs CHANNELS_BEFORE_POST_SECRET, which signs its requests; make one:"
                f" {_NEW_WEBHOOK_SECRET}"
            )
        return self

    @field_validator("jwks_url")
    @classmethod
    def _guarded(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            address = urlsplit(url)
            host = address.hostname
        except ValueError:  # brackets without an address in them
            host = None
        else:
            is_near = address.scheme == "http" and host in _THIS_MACHINE
            if (address.scheme != "https" and not is_near) or "@" in address.netloc:
                host = None
        if not host or not url.isprintable() or " " in url:
            raise ValueError(
                "must be an address with https://, without a name or password: whoever changes the keys on their way is"
                " every user"
            )
        return url

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.jwks_url is not None and self.jwks_file is not None:
            raise ValueError("set CHANNELS_JWKS_URL or CHANNELS_JWKS_FILE, not both")
        has_keys = self.jwks_url is not None or self.jwks_file is not None
        if has_keys and not (self.token_issuer and self.token_audience):
            raise ValueError(
                "an identity provider needs CHANNELS_TOKEN_ISSUER and CHANNELS_TOKEN_AUDIENCE: without them a token"
                " for any other service would be good here"
            )
        if not has_keys and (self.token_issuer or self.token_audience):
            raise ValueError(
                "CHANNELS_TOKEN_ISSUER and CHANNELS_TOKEN_AUDIENCE need CHANNELS_JWKS_URL or CHANNELS_JWKS_FILE"
            )
        return self

    @field_validator(
        "allowed_origins",
        "trusted_proxies",
        "token_issuer",
        "token_audience",
        "webhook_allowed_networks",
        "link_preview_allowed_networks",
        mode="before",
    )
    @classmethod
    def _listed(cls, words: object) -> object:
        if not isinstance(words, str):
            return words
        return tuple(words.replace(",", " ").split())

    @field_validator("allowed_origins")
    @classmethod
    def _whole(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin} is no origin: one looks like https://app.example.org, without a path"
                )
        return origins

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, data_dir: Path) -> Path:
        return data_dir.expanduser().absolute()

    @classmethod
    def load(cls, *, needs_secret: bool = True, **flags: Any) -> Self:
        """The settings in force. Flags that are not None override the environment.

        `needs_secret=False` is for commands that neither sign nor check tokens.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise StartupError("\n".join(_messages(error, given))) from error
        if needs_secret and not settings.is_embedded and settings.secret is None:
            raise StartupError(
                "CHANNELS_SECRET is missing. With a MongoDB of your own, the key that tokens are signed with is yours"
                " to keep: all servers on one database need the same.",
                cure=f"Make one and set it: {_NEW_SECRET}",
            )
        if settings.push_gateway_url is not None and settings.push_gateway_secret is None:
            raise StartupError(
                "CHANNELS_PUSH_GATEWAY_SECRET is missing: your push gateway checks signatures with it.",
                cure=f"Make one and set it at both: {_NEW_WEBHOOK_SECRET}",
            )
        if settings.vapid_private_key is not None and settings.contact_of_pushes is None:
            raise StartupError(
                "CHANNELS_VAPID_SUBJECT is missing: push services want to know whom to write to.",
                cure="Set it to an address of yours, such as mailto:ops@example.org.",
            )
        return settings

    def identity_provider(self) -> ProviderOptions | None:
        """The identity provider whose tokens are accepted; None: there is none."""
        keys = self.jwks_file or self.jwks_url
        if keys is None:
            return None
        return ProviderOptions(
            keys=keys,
            issuers=self.token_issuer,
            audiences=self.token_audience,
            user_claim=self.token_user_claim,
            admin_scope=self.token_admin_scope,
            business_scope=self.token_business_scope,
        )

    def needed_for_metrics(self) -> str | None:
        """The token that `/metrics` requires; None: metrics are public."""
        return self.metrics_token.get_secret_value() if self.metrics_token else None

    @property
    def is_embedded(self) -> bool:
        return self.mongodb_uri is None

    @property
    def service_options(self) -> ServiceOptions:
        return ServiceOptions(
            create_policy=self.create_policy,
            disks=self.watched_disks,
            before_post=self._before_post(),
            event_retention_seconds=self.event_retention_seconds,
            webhook_allowed_networks=self.webhook_allowed_networks,
            link_preview_networks=self.link_preview_allowed_networks,
            user_data=UserDataOptions(may_export=self.user_export, may_delete=self.user_deletion),
            push=PushOptions(
                vapid_private_key=self.web_push_key(),
                vapid_subject=self.contact_of_pushes or "mailto:admin@localhost",
                gateway_url=self.push_gateway_url,
                gateway_secret=(
                    self.push_gateway_secret.get_secret_value() if self.push_gateway_secret else ""
                ),
                ttl_seconds=self.push_ttl_seconds,
                with_content=self.push_previews,
            ),
        )

    def share_options(self, port: int) -> ShareOptions:
        """How links begin: with the public address, or else with that of this server on its own machine."""
        address = self.public_url
        if address is None:
            host = "localhost" if self.host in {"0.0.0.0", "::"} else self.host
            address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return ShareOptions(
            address=address.rstrip("/"), has_public_pages=self.public_pages != "off"
        )

    def _before_post(self) -> BeforePostOptions | None:
        if self.before_post_url is None or self.before_post_secret is None:
            return None
        return BeforePostOptions(
            url=self.before_post_url,
            secret=self.before_post_secret.get_secret_value(),
            on_failure=self.before_post_on_failure,
        )

    @property
    def contact_of_pushes(self) -> str | None:
        """Whom push services may write to."""
        if self.vapid_subject is not None:
            return self.vapid_subject
        is_https = self.public_url is not None and self.public_url.startswith("https:")
        return self.public_url if is_https else None

    def web_push_key(self) -> str | None:
        """The private key of Web Push; in embedded mode made at the first call, in `data_dir`. None: no Web Push."""
        if self.vapid_private_key is not None:
            return self.vapid_private_key.get_secret_value()
        if not (self.is_embedded or self.is_beside_data):
            return None
        key = load_or_create_vapid_key(self.data_dir, new_private_key)
        try:
            check_private_key(key)
        except BadVapidKey as error:
            raise StartupError(
                f"The key of Web Push {self.data_dir / 'vapid'} is damaged: it {error}.",
                cure="Restore it, or delete it to create a new one; browsers then have to subscribe anew.",
            ) from error
        return key

    @property
    def watched_disks(self) -> tuple[Path, ...]:
        """The directories of this machine whose disks hold the database."""
        return (self.data_dir,) if self.is_embedded or self.is_beside_data else ()

    def worker_environment(self, mongodb_uri: str, port: int) -> dict[str, str]:
        """The environment of a worker process: that of this process, with the settings in force."""
        return {
            **process_environment(),
            "CHANNELS_MONGODB_URI": mongodb_uri,
            "CHANNELS_DRIVER": self.driver,
            "CHANNELS_KEYS_PER_TRANSACTION": str(self.keys_per_transaction),
            "CHANNELS_DATABASE": self.database,
            "CHANNELS_SECRET": self.signing_secret(),
            "CHANNELS_HOST": self.host,
            "CHANNELS_PORT": str(port),
            "CHANNELS_WORKERS": "1",
            "CHANNELS_IS_WORKER": "1",
            "CHANNELS_DATA_DIR": str(self.data_dir),
            "CHANNELS_IS_BESIDE_DATA": "1" if self.is_embedded else "0",
        }

    def signing_secret(self) -> str:
        """The key that tokens are signed with; in embedded mode made at the first call, in `data_dir`."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        if not self.is_embedded:
            raise StartupError("CHANNELS_SECRET is missing.", cure=f"Make one: {_NEW_SECRET}")
        return load_or_create_secret(self.data_dir)

    def accepted_secret(self) -> str | None:
        """The key that tokens may be signed with besides, while the secret is being changed."""
        return self.previous_secret.get_secret_value() if self.previous_secret else None


def process_environment() -> dict[str, str]:
    """The environment that this process was started with, for processes that it starts."""
    return dict(os.environ)


def bare_environment() -> dict[str, str]:
    """The variables that any program needs, and no secrets."""
    return {name: os.environ[name] for name in _HARMLESS if name in os.environ}


def _messages(error: ValidationError, flags: dict[str, Any]) -> list[str]:
    messages: list[str] = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        if not problem["loc"]:  # of several settings together, which it names
            messages.append(problem["msg"].removeprefix("Value error, "))
            continue
        field, *inner = (str(part) for part in problem["loc"])
        if field == "limits" and inner:
            name = _LIMIT_PREFIX + inner[0].upper()
        elif field in flags:
            name = "--" + field.replace("_", "-")
        else:
            name = _PREFIX + field.upper()
        if problem["type"] == "extra_forbidden":
            messages.append(f"{name}: there is no such limit")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            messages.append(f"{name}: {message[0].lower()}{message[1:]}")
    return messages
