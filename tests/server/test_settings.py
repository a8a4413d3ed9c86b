"""Settings: where a value comes from, and how one that cannot be used is told."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from channels.push.senders.vapid import new_private_key
from channels.server.settings import Settings
from channels.server.startup import StartupError

LONG = "s" * 32


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None of the variables of whoever runs the tests."""
    for variable in list(os.environ):
        if variable.startswith(("CHANNELS_", "XDG_")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))


def refusal(**flags: Any) -> str:
    with pytest.raises(StartupError) as refused:
        Settings.load(**flags)
    return str(refused.value)


def test_with_nothing_set_the_server_is_embedded_on_loopback(tmp_path: Path) -> None:
    settings = Settings.load()
    assert settings.is_embedded
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.database == "channels"
    assert settings.create_policy == "anyone"
    assert settings.log_format is None
    assert settings.data_dir == tmp_path / ".local/share/channels"


def test_the_data_directory_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Settings.load().data_dir
    monkeypatch.chdir(tmp_path)
    assert Settings.load().data_dir == before
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert Settings.load().data_dir == tmp_path / "xdg/channels"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert Settings.load().data_dir == before
    monkeypatch.setenv("CHANNELS_DATA_DIR", "~/mine")
    assert Settings.load().data_dir == tmp_path / "mine"
    assert Settings.load(data_dir=Path("here")).data_dir == tmp_path / "here"


def test_a_variable_is_read_and_a_flag_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS_PORT", "9000")
    monkeypatch.setenv("CHANNELS_WORKERS", "3")
    assert Settings.load(port=9001, workers=None).port == 9001
    assert Settings.load(port=None).port == 9000
    assert Settings.load().workers == 3


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("MONGODB_URI", "PORT", "SECRET", "LIMIT_POSTS_PER_SECOND"):
        monkeypatch.setenv(f"CHANNELS_{variable}", "")
    settings = Settings.load()
    assert settings.is_embedded
    assert settings.port == 8080
    assert settings.limits.posts_per_second == 40


def test_a_limit_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS_LIMIT_POSTS_PER_SECOND", "7")
    limits = Settings.load().limits
    assert limits.posts_per_second == 7
    assert limits.community_members == 1_000_000


def test_all_bad_values_are_reported_at_once_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHANNELS_WORKERS", "many")
    monkeypatch.setenv("CHANNELS_CREATE_POLICY", "nobody")
    monkeypatch.setenv("CHANNELS_LIMIT_POSTS_PER_SECOND", "-1")
    monkeypatch.setenv("CHANNELS_LIMIT_POSTS_PER_MINUTE", "1")
    told = refusal(port=70_000).splitlines()
    assert len(told) == 5
    assert {line.split(":")[0] for line in told} == {
        "--port",
        "CHANNELS_WORKERS",
        "CHANNELS_CREATE_POLICY",
        "CHANNELS_LIMIT_POSTS_PER_SECOND",
        "CHANNELS_LIMIT_POSTS_PER_MINUTE",
    }
    assert "CHANNELS_LIMIT_POSTS_PER_MINUTE: there is no such limit" in told


def test_a_variable_that_means_another_thing_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("CHANNELS_LIMITS", "{}")
    Settings.load()


def test_outside_embedded_mode_a_missing_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHANNELS_MONGODB_URI", "mongodb://db/?replicaSet=rs")
    assert "CHANNELS_SECRET is missing" in refusal()
    monkeypatch.setenv("CHANNELS_SECRET", LONG)
    assert Settings.load().signing_secret() == LONG


def test_a_command_that_signs_nothing_needs_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS_MONGODB_URI", "mongodb://db/?replicaSet=rs")
    settings = Settings.load(needs_secret=False)
    with pytest.raises(StartupError):
        settings.signing_secret()


@pytest.mark.parametrize("uri", ["", "mongodb://db/?replicaSet=rs"])
def test_a_short_secret_is_refused_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("CHANNELS_MONGODB_URI", uri)
    monkeypatch.setenv("CHANNELS_SECRET", "hunter2" * 4)
    told = refusal()
    assert "CHANNELS_SECRET: must be at least 32 bytes" in told
    assert "hunter2" not in told


def test_in_embedded_mode_the_secret_is_kept_in_the_data_directory(tmp_path: Path) -> None:
    first = Settings.load(data_dir=tmp_path / "data").signing_secret()
    assert Settings.load(data_dir=tmp_path / "data").signing_secret() == first
    assert (tmp_path / "data/secret").read_text() == first


def test_settings_are_frozen_and_hide_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHANNELS_MONGODB_URI", "mongodb://u:hunter2@db/?replicaSet=rs")
    monkeypatch.setenv("CHANNELS_SECRET", LONG)
    settings = Settings.load()
    assert "hunter2" not in repr(settings)
    assert LONG not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]  # it is frozen: the point


def test_origins_are_a_list_separated_by_commas_and_each_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHANNELS_ALLOWED_ORIGINS", "https://a.example, http://localhost:3000")
    assert Settings.load().allowed_origins == ("https://a.example", "http://localhost:3000")
    for bad in ("a.example", "https://a.example/", "https://a.example/path", "ftp://a.example"):
        monkeypatch.setenv("CHANNELS_ALLOWED_ORIGINS", bad)
        assert "CHANNELS_ALLOWED_ORIGINS" in refusal()


def test_trusted_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1, fd00::/8")
    assert [str(network) for network in Settings.load().trusted_proxies] == [
        *("10.0.0.0/8", "192.0.2.1/32", "fd00::/8"),
    ]
    for bad in ("proxy.example", "10.0.0.1/8", "10.0.0.0/33"):
        monkeypatch.setenv("CHANNELS_TRUSTED_PROXIES", bad)
        assert "CHANNELS_TRUSTED_PROXIES" in refusal()


def test_a_metrics_token_is_one_that_a_header_can_carry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().needed_for_metrics() is None
    monkeypatch.setenv("CHANNELS_METRICS_TOKEN", "m" * 16)
    settings = Settings.load()
    assert settings.needed_for_metrics() == "m" * 16
    assert "m" * 16 not in repr(settings)
    for token in ("m" * 15, "m" * 16 + " x", "ü" * 16, "m" * 16 + "\n"):
        monkeypatch.setenv("CHANNELS_METRICS_TOKEN", token)
        told = refusal()
        assert "CHANNELS_METRICS_TOKEN" in told
        assert token not in told


def test_the_key_of_web_push_is_made_once_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    key = settings.service_options.push.vapid_private_key
    assert key is not None
    assert Settings.load(data_dir=tmp_path).service_options.push.vapid_private_key == key
    assert (tmp_path / "vapid").stat().st_mode & 0o077 == 0
    (tmp_path / "vapid").write_text("damaged")
    with pytest.raises(StartupError, match="damaged"):
        _ = settings.service_options


def test_with_a_mongodb_of_its_own_a_server_pushes_what_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own: dict[str, Any] = {"mongodb_uri": "mongodb://db", "secret": LONG}
    push = Settings.load(**own).service_options.push
    assert (push.vapid_private_key, push.gateway_url) == (None, None)
    key, secret = new_private_key(), "whsec_" + "A" * 44
    assert "CHANNELS_VAPID_SUBJECT" in refusal(**own, vapid_private_key=key)
    assert "CHANNELS_PUSH_GATEWAY_SECRET" in refusal(**own, push_gateway_url="http://gate/x")
    assert "vapid-private-key" in refusal(**own, vapid_private_key="short")
    assert "push-gateway-secret" in refusal(**own, push_gateway_secret="whsec_short")
    assert "push-gateway-url" in refusal(**own, push_gateway_url="gate")
    assert "vapid-subject" in refusal(**own, vapid_subject="ops@example.org")
    monkeypatch.setenv("CHANNELS_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, fd00::/8")
    options = Settings.load(
        **own,
        vapid_private_key=key,
        public_url="https://news.example",
        push_gateway_url="http://gate/x",
        push_gateway_secret=secret,
        push_previews=False,
    ).service_options
    assert options.push.vapid_subject == "https://news.example"
    assert (options.push.gateway_secret, options.push.with_content) == (secret, False)
    allowed = [str(network) for network in options.webhook_allowed_networks]
    assert allowed == ["10.0.0.0/8", "fd00::/8"]


def test_an_identity_provider_is_whole_or_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Settings.load().identity_provider() is None
    keys = "https://login.example/keys"
    both: dict[str, Any] = {"token_issuer": "https://login.example", "token_audience": "channels"}
    whole = Settings.load(jwks_url=keys, **both).identity_provider()
    assert whole is not None
    assert (whole.keys, whole.issuers, whole.user_claim) == (
        keys,
        ("https://login.example",),
        "sub",
    )
    monkeypatch.setenv("CHANNELS_TOKEN_AUDIENCE", "channels, mobile")
    several = Settings.load(jwks_url=keys, token_issuer="https://login.example")
    assert several.token_audience == ("channels", "mobile")
    monkeypatch.delenv("CHANNELS_TOKEN_AUDIENCE")
    for missing in both:
        assert "CHANNELS_TOKEN_ISSUER" in refusal(jwks_url=keys, **(both | {missing: ""}))
    assert "need CHANNELS_JWKS_URL" in refusal(**both)
    file = tmp_path / "keys.json"
    assert "jwks-file" in refusal(jwks_file=file, **both)
    file.write_text("{}")
    from_file = Settings.load(jwks_file=file, **both).identity_provider()
    assert from_file is not None
    assert from_file.keys == file
    assert "not both" in refusal(jwks_file=file, jwks_url=keys, **both)
    assert "token-admin-scope" in refusal(jwks_url=keys, token_admin_scope="two words", **both)


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://login.example/keys", True),
        ("https://login.example:8443/realms/tea/protocol/openid-connect/certs", True),
        ("http://127.0.0.1:8081/keys", True),
        ("http://localhost/keys", True),
        ("http://[::1]:8081/keys", True),
        ("http://login.example/keys", False),
        ("http://127.0.0.1.evil.example/keys", False),
        ("http://localhost@evil.example/keys", False),
        ("https://user:password@login.example/keys", False),
        ("file:///etc/passwd", False),
        ("https:///keys", False),
        ("https://[x/keys", False),
        ("https://login.example/a b", False),
        ("keys", False),
    ],
)
def test_keys_are_fetched_where_nobody_changes_them_on_their_way(url: str, is_taken: bool) -> None:
    both: dict[str, Any] = {"token_issuer": "x", "token_audience": "channels"}
    if is_taken:
        assert Settings.load(jwks_url=url, **both).jwks_url == url
    else:
        assert "--jwks-url: must be" in refusal(jwks_url=url, **both)


def test_reviews_of_messages_are_signed_or_refused() -> None:
    url, secret = "https://app.example/review", "whsec_" + "x" * 32
    assert Settings.load().service_options.before_post is None
    options = Settings.load(
        before_post_url=url, before_post_secret=secret
    ).service_options.before_post
    assert options is not None
    assert (options.url, options.secret, options.on_failure) == (url, secret, "refuse")
    assert secret not in repr(options)
    assert "CHANNELS_BEFORE_POST_SECRET" in refusal(before_post_url=url)
    for bad in ("x" * 40, "whsec_short", "whsec_" + "x" * 28, "whsec_" + "x" * 92, "whsec_é" * 9):
        told = refusal(before_post_url=url, before_post_secret=bad)
        assert "before-post-secret" in told
        assert bad not in told
    for bad in ("app.example", "ftp://app.example/", "https://user@app.example/", "https:///x"):
        assert "before-post-url" in refusal(before_post_url=bad, before_post_secret=secret)
