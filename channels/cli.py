"""The command `channels`: serve, token, revoke, verify, bench.

It turns flags and environment into `Settings`, calls one function, and prints what keeps a command from starting as one
readable message (exit code 1). It is the entry point, so with `channels.__main__` the only module outside
`channels.server` that knows the server.
"""

import asyncio
import importlib.metadata
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from channels.server.settings import Settings, process_environment
from channels.server.startup import StartupError
from channels.server.tokens import mint
from groups.kernel.ids import USER_ID_BYTES, UserId, is_user_id

app = typer.Typer(
    name="channels",
    help="WhatsApp-style channels over group chat, on your own machines.",
    epilog="Try it: channels serve --demo",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where the embedded database and the signing secret live."
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
    " Every setting and limit is also a variable, CHANNELS_PORT and so on; see the README."
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
        bool, typer.Option("--demo", help="Fill an empty database with a small believable scene.")
    ] = False,
) -> None:
    """Run the server, with its own MongoDB unless CHANNELS_MONGODB_URI names one.

    SIGTERM or Ctrl-C finishes what was asked, closes the sockets, and stops.
    """
    settings = Settings.load(host=host, port=port, workers=workers, data_dir=data_dir)
    # Imported here: HTTP, the database driver and every service, which `channels token` should not wait for.
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
        bool, typer.Option("--admin", help="With the rights of the application's own back end.")
    ] = False,
    hours: Annotated[float, typer.Option(metavar="N", help="How long it is valid.")] = 720,
    data_dir: DataDir = None,
) -> None:
    """Print a token for a user, and nothing else.

    Works beside a running server and before the first start. The token is signed with CHANNELS_SECRET, or in embedded
    mode with the secret kept in the data directory.
    """
    secret = Settings.load(data_dir=data_dir).signing_secret()
    try:
        minted = mint(secret, user, admin=admin, hours=hours, now=datetime.now(UTC))
    except ValueError as error:
        raise StartupError(str(error)) from error
    typer.echo(minted)


@app.command(epilog="Example: channels revoke ada")
def revoke(
    user: Annotated[str, typer.Argument(metavar="USER", help="The user id.")],
    data_dir: DataDir = None,
) -> None:
    """Refuse every token that was issued to a user until now, and close his sockets.

    Works beside a running server, which follows within moments. A token that is issued afterwards is good.
    """
    settings = Settings.load(needs_secret=False, data_dir=data_dir)
    if not is_user_id(user):
        raise StartupError(
            f"A user id is 1 to {USER_ID_BYTES} bytes of printable text, and no reserved word."
        )
    # Imported here: see `serve`.
    from channels.server.embedded import database_uri
    from channels.server.revoking import revoke as revoke_tokens

    async def revoke_stored() -> None:
        async with database_uri(settings) as uri:
            await revoke_tokens(uri, settings.database, UserId(user))

    with _told_database_errors():
        asyncio.run(revoke_stored())
    typer.echo(f"Tokens issued to {user} until now are refused.")


@app.command(
    epilog="Example: channels verify --repair. Exit code 0: every promise holds; 1: one is broken."
)
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Set right what can be derived from other records.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Check in the stored data what the server promises; also beside a running server."""
    settings = Settings.load(needs_secret=False, data_dir=data_dir)
    # Imported here: see `serve`.
    from channels.server.embedded import database_uri
    from channels.verify.command import run

    async def verify_stored() -> int:
        async with database_uri(settings) as uri:
            return await run(uri, settings.database, repair=repair, limits=settings.limits)

    with _told_database_errors():
        code = asyncio.run(verify_stored())
    raise typer.Exit(code)


@contextmanager
def _told_database_errors() -> Iterator[None]:
    """What keeps a command from its database, in words for its user."""
    from groups.kernel.errors import Unavailable
    from groups.kernel.mongo import StandaloneServer

    try:
        yield
    except StandaloneServer as error:
        raise StartupError("CHANNELS_MONGODB_URI names a standalone MongoDB server.") from error
    except Unavailable as error:
        raise StartupError(
            error.detail, cure="Check that it runs, and the address in CHANNELS_MONGODB_URI."
        ) from error


@app.command(
    epilog="Example: channels bench --quick, or channels bench subscribe react --report results."
    " The rows: subscribe, react, read, unread, inbox, fanout, burst, storm, workers, import, post, memory."
)
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Rows to measure; all by default."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller and shorter: under two minutes.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write results.json, report.html and charts there."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Measure a server that runs already; CHANNELS_MONGODB_URI, CHANNELS_DATABASE and CHANNELS_SECRET"
            " must be its own.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with code 1 when a target is missed.")
    ] = False,
) -> None:
    """Measure what the server costs, each row beside a baseline in the same run.

    Uses a database of its own on the replica set that CHANNELS_MONGODB_URI names, else one that it starts, and removes
    what it made. Installed `mosquitto` is measured too.
    """
    # Imported here: see `serve`.
    from channels.bench.cases import NAMES
    from channels.bench.command import is_missed, run
    from channels.bench.plan import FULL, QUICK
    from channels.bench.processes import Deployment, StartFailed
    from channels.server.embedded import database_uri
    from channels.server.open_files import raise_open_files
    from groups.kernel.errors import Unavailable

    raise_open_files()  # the load holds thousands of connections
    unknown = [name for name in names or [] if name not in NAMES]
    if unknown:
        raise StartupError(f"There is no row {unknown[0]!r}.", cure=f"Rows: {', '.join(NAMES)}.")
    settings = Settings.load(needs_secret=server is not None)
    if server is not None and settings.is_embedded:
        raise StartupError("--server needs CHANNELS_MONGODB_URI, the database of that server.")

    async def measure() -> bool:
        with tempfile.TemporaryDirectory(prefix="channels-bench-") as directory:
            # Not the user's data: a database that is made for the run and gone afterwards.
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
    """Run the command line; what keeps a command from starting is printed, and the exit code is 1."""
    try:
        app()
    except StartupError as error:
        # Wrapped by the terminal, not by us: paths and commands in it are there to be copied.
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(Text("error: ", style="bold red"), Text(error.problem), sep="")
        if error.cure is not None:
            console.print(Text(error.cure))
        raise SystemExit(1) from None
