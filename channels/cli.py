"""The command `channels`: serve, token, revoke, export, import, verify, bench.

It turns flags and environment into `Settings` and calls one function. A `StartupError` is printed as one readable
message (exit code 1). Only this module and `channels.__main__`, outside of `channels.server`, import the server.
"""

import asyncio
import importlib.metadata
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from channels.server.settings import Settings, process_environment
from channels.server.startup import StartupError
from channels.server.tokens import mint
from groups.kernel.actor import Actor
from groups.kernel.ids import USER_ID_BYTES, UserId, is_user_id

if TYPE_CHECKING:
    from channels.server.app import Services

app = typer.Typer(
    name="channels",
    help="WhatsApp-style channels over group chat, on your own machines.",
    epilog="Try it: channels serve --demo",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OPERATOR = Actor(UserId("channels-revoke"), is_app_admin=True)
"""The command line acts with the rights of the application."""

DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The directory of the embedded database and of the signing secret."
        " [CHANNELS_DATA_DIR; by default a directory of your user]",
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"channel-layer {importlib.metadata.version('channel-layer')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Example: channels serve --port 9000 --demo."
    " Every setting and limit is also a variable, CHANNELS_PORT and so on; see /docs of a running server."
)
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [CHANNELS_HOST; 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on; 0 takes a free one. [CHANNELS_PORT; 8080]"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Server processes. [CHANNELS_WORKERS; 1]")
    ] = None,
    data_dir: DataDir = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Fill an empty database with example channels and chats.")
    ] = False,
) -> None:
    """Run the server, with its own MongoDB unless CHANNELS_MONGODB_URI names one.

    SIGTERM or Ctrl-C finishes the requests under way, closes the sockets, and stops.
    """
    settings = Settings.load(host=host, port=port, workers=workers, data_dir=data_dir)
    # Imported here, so that `channels token` does not wait for HTTP, the driver and every service.
    from channels.server.run import serve as run_server

    run_server(settings, demo=demo)


@app.command(
    epilog='Example: curl -H "Authorization: Bearer $(channels token ada)" localhost:8080/v1/channels'
)
def token(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The user id: 1 to 32 bytes of printable text.")
    ],
    admin: Annotated[
        bool,
        typer.Option("--admin", help="Give the token the rights of the application's back end."),
    ] = False,
    business: Annotated[
        bool,
        typer.Option(
            "--business",
            help="Make it the token of a business account, which runs channels and does nothing as a person.",
        ),
    ] = False,
    hours: Annotated[
        float, typer.Option(metavar="N", help="How many hours the token is valid.")
    ] = 720,
    data_dir: DataDir = None,
) -> None:
    """Print a token for a user, and nothing else.

    Works beside a running server and before the first start. The token is signed with CHANNELS_SECRET, or in embedded
    mode with the secret kept in the data directory.
    """
    secret = Settings.load(data_dir=data_dir).signing_secret()
    try:
        minted = mint(
            secret, user, admin=admin, business=business, hours=hours, now=datetime.now(UTC)
        )
    except ValueError as error:
        raise StartupError(str(error)) from error
    typer.echo(minted)


@app.command(epilog="Example: channels revoke ada")
def revoke(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user id.")],
    data_dir: DataDir = None,
) -> None:
    """Refuse every token that was issued to a user until now, and close their sockets.

    Works beside a running server, which follows within moments. Tokens that are issued later are valid.
    """
    settings = Settings.load(needs_secret=False, data_dir=data_dir)
    if not is_user_id(user):
        raise StartupError(
            f"A user id is 1 to {USER_ID_BYTES} bytes of printable text, and no reserved word."
        )
    # Imported here: see `serve`.
    from channels.server.app import create_services
    from channels.server.embedded.supervisor import database_uri
    from channels.server.run import database_errors_as_startup_errors, open_database

    async def revoke_stored() -> None:
        async with database_uri(settings) as uri:
            database = await open_database(settings, uri)
            try:
                services = create_services(database, settings.limits)
                await services.chat.revocations.revoke(OPERATOR, UserId(user))
            finally:
                await database.close()

    with database_errors_as_startup_errors():
        asyncio.run(revoke_stored())
    typer.echo(f"Tokens issued to {user} until now are refused.")


@app.command(
    epilog="Example: channels export news news.zip. The format is in the guide reference/export-format.md."
)
def export(
    channel: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="The channel's id, with or without @TOA#_.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip file to write.")],
    without_members: Annotated[
        bool,
        typer.Option("--without-members", help="Leave out subscribers and admins, and bans."),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write a channel with its posts, members and media to a file.

    Works beside a running server. The file holds the channel as it was at one instant; one-to-one messages stay.
    """
    settings = Settings.load(needs_secret=False, data_dir=data_dir)
    # Imported here: see `serve`.
    from channels.moving.command import run_export
    from channels.moving.wiring import build_export

    async def write(services: "Services") -> list[str]:
        service = build_export(services.database, services.chat)
        return await run_export(service, channel, file, with_members=not without_members)

    _move(settings, write)


@app.command(
    "import",
    epilog="Example: channels import result.json --as news --owner ada --dry-run."
    " Also reads the exports of Telegram (result.json) and of WhatsApp (a zip, a folder, or _chat.txt).",
)
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The export: a zip, a folder or a file.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file, print the report, write nothing.")
    ] = False,
    channel_id: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="ID", help="The id of the new channel, if not that in the file."
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(metavar="USER", help="The owner, in place of the one in the file."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE", help="The time zone of a WhatsApp export, such as Europe/Berlin. [UTC]"
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a channel of an export.

    Works beside a running server. The channel appears when all of it is there, or not at all.
    """
    settings = Settings.load(needs_secret=False, data_dir=data_dir)
    # Imported here: see `serve`.
    from channels.moving.command import Wanted, run_import
    from channels.moving.wiring import build_import

    async def read(services: "Services") -> list[str]:
        await services.prepare()
        await services.chat.accounts.load()
        service = build_import(
            services.database,
            services.chat,
            services.channels.channels,
            services.automatic.messages,
            settings.limits,
        )
        wanted = Wanted(file, channel_id, owner, dry_run, time_zone)
        return await run_import(service, wanted, settings.limits)

    _move(settings, read)


def _move(settings: Settings, work: "Callable[[Services], Awaitable[list[str]]]") -> None:
    """Export or import on the database of the settings, and print what `work` returns."""
    # Imported here: see `serve`.
    from channels.moving.errors import MovingRefused
    from channels.server.app import create_services
    from channels.server.embedded.supervisor import database_uri
    from channels.server.run import database_errors_as_startup_errors, open_database

    async def moved() -> list[str]:
        async with database_uri(settings) as uri:
            database = await open_database(settings, uri)
            try:
                services = create_services(database, settings.limits)
                try:
                    return await work(services)
                finally:
                    await services.chat.media.stop()
            finally:
                await database.close()

    try:
        with database_errors_as_startup_errors():
            lines = asyncio.run(moved())
    except MovingRefused as refused:
        raise StartupError(str(refused)) from refused
    for line in lines:
        typer.echo(line)


@app.command(
    epilog="Example: channels verify --repair. Exit code 0: all promises hold; 1: one is broken."
)
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what can be derived from other records.")
    ] = False,
    user: Annotated[
        str | None,
        typer.Option(
            "--user", metavar="ID", help="Only look whether anything holds this user's id."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check the server's promises in the stored data, also beside a running server."""
    settings = Settings.load(needs_secret=False, data_dir=data_dir)
    # Imported here: see `serve`.
    from channels.server.embedded.supervisor import database_uri
    from channels.server.run import database_errors_as_startup_errors
    from channels.verify.command import run

    async def verify_stored() -> int:
        async with database_uri(settings) as uri:
            return await run(
                uri,
                settings.database,
                repair=repair,
                limits=settings.limits,
                user_id=UserId(user) if user is not None else None,
            )

    with database_errors_as_startup_errors():
        code = asyncio.run(verify_stored())
    raise typer.Exit(code)


@app.command(
    epilog="Example: channels bench --quick, or channels bench subscribe react --report results."
    " The cases: subscribe, react, read, unread, inbox, fanout, burst, storm, workers, import, post, memory;"
    " and ordinary, which is lone, subscribes, reactions, cursors, views, pages, lists, syncs, posts, mix, flood,"
    " processes, bystander."
)
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Cases to measure; all by default."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller and shorter: about five minutes.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write results.json, report.html and charts there."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Measure a running server; CHANNELS_MONGODB_URI, CHANNELS_DATABASE and CHANNELS_SECRET"
            " must be those of the server.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with code 1 when a target is missed.")
    ] = False,
) -> None:
    """Measure what calls cost, each case beside a baseline in the same run.

    Uses a database of its own on the replica set in CHANNELS_MONGODB_URI, or starts one, and removes it afterwards.
    An installed `mosquitto` is measured too.
    """
    # Imported here: see `serve`.
    from channels.bench.cases import GROUPS, NAMES
    from channels.bench.command import is_missed, run
    from channels.bench.plan import FULL, QUICK
    from channels.bench.processes import Deployment, StartFailed
    from channels.server.embedded.supervisor import database_uri
    from channels.server.open_files import raise_open_files
    from groups.kernel.errors import Unavailable

    raise_open_files()  # the load holds thousands of connections
    unknown = [name for name in names or [] if name not in {*NAMES, *GROUPS}]
    if unknown:
        raise StartupError(
            f"There is no case {unknown[0]!r}.", cure=f"Cases: {', '.join([*NAMES, *GROUPS])}."
        )
    settings = Settings.load(needs_secret=server is not None)
    if server is not None and settings.is_embedded:
        raise StartupError("--server needs CHANNELS_MONGODB_URI, the database of that server.")

    async def measure() -> bool:
        with tempfile.TemporaryDirectory(prefix="channels-bench-") as directory:
            # A database for this run only, not the user's data.
            own = Settings.load(needs_secret=False, data_dir=Path(directory), embedded_cache_gb=1.0)
            async with database_uri(own) as uri:
                if server is None:
                    name, secret = f"bench_{secrets.token_hex(4)}", secrets.token_hex(20)
                else:
                    name, secret = settings.database, settings.signing_secret()
                deployment = Deployment(uri, name, secret, process_environment(), server)
                plan = QUICK if quick else FULL
                return is_missed(await run(deployment, plan, names=names or (), directory=report))

    try:
        missed = asyncio.run(measure())
    except (StartFailed, Unavailable) as error:
        raise StartupError(str(error)) from error
    raise typer.Exit(int(check and missed))


def main() -> None:
    """Run the command line. A `StartupError` is printed, and the exit code is 1."""
    try:
        app()
    except StartupError as error:
        # No wrapping, so that paths and commands in the message can be copied.
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(Text("error: ", style="bold red"), Text(error.problem), sep="")
        if error.cure is not None:
            console.print(Text(error.cure))
        raise SystemExit(1) from None
