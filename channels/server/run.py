"""Running the server: the database it brings or is given, one process or several, until a signal says stop.

With `workers` above one the parent process owns the embedded database and starts that many servers (`workers`), which
share the port (SO_REUSEPORT) and the database. They know nothing of each other: what one commits, the others hear
through the database.
"""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
import uvloop
from aiohttp import web
from rich.console import Console

from channels.demo.service import Compose, fill_if_empty
from channels.server import logs
from channels.server.app import App, create_services
from channels.server.embedded import EmbeddedMongo
from channels.server.garbage_collection import Collector, spare_startup
from channels.server.open_files import raise_open_files
from channels.server.settings import Settings
from channels.server.startup import StartupError
from channels.server.tokens import mint
from channels.server.web.protocol import CROWDED
from channels.server.workers import WorkerPool, stop_with_parent, tell_parent_ready
from groups.kernel.clock import SystemClock
from groups.kernel.errors import Unavailable
from groups.kernel.mongo import POOL_SIZE, Database, StandaloneServer
from groups.kernel.mongo.schema import NewerSchema

DRAIN_SECONDS: Final = (
    15.0  # how long requests under way may take to finish after a stop was asked for
)

KEPT_FILES: Final = 64
"""Files that no client's connection takes: listeners, logs, temporary files, and what the libraries hold open."""
FEWEST_CONNECTIONS: Final = 16  # where the system allows hardly any files

CLOSE_SECONDS: Final = 5.0  # how long a database that stands still may hold up the stop after that

DOOR_HOURS: Final = 12  # how long the ways in that are printed at the start are good for

log = structlog.get_logger("channels")


def serve(settings: Settings, *, demo: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises: StartupError with what is wrong and how to mend it.
    """
    logs.configure(settings.log_format)
    raise_open_files()  # each connection is one
    main = _supervise(settings, demo=demo) if settings.workers > 1 else _serve(settings, demo=demo)
    uvloop.run(main)


async def _serve(settings: Settings, *, demo: bool) -> None:
    stop = _stop_signal()
    if settings.is_worker:
        await stop_with_parent(stop)
    listener = _listen(settings.host, settings.port, shared=settings.is_worker)
    try:
        async with _mongodb(settings, stop) as uri:
            database = await _connect(uri, settings.database)
            try:
                await _run_app(settings, database, listener, stop, demo=demo)
            finally:
                database.close()
    finally:
        listener.close()


async def _run_app(
    settings: Settings,
    database: Database,
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    demo: bool,
) -> None:
    services = create_services(
        database,
        settings.limits,
        create_policy=settings.create_policy,
        disks=settings.watched_disks,
    )
    runner = App(
        services,
        settings.signing_secret(),
        previous_secret=settings.accepted_secret(),
        allowed_origins=settings.allowed_origins,
        trusted_proxies=settings.trusted_proxies,
        shutdown_timeout=DRAIN_SECONDS / 2,  # aiohttp waits so long twice before it cancels
        public_pages=settings.public_pages,
        public_url=settings.public_url,
        connections=_connections(),
        metrics_token=settings.needed_for_metrics(),
    )
    collector = Collector(lambda: not runner.admission.at_work)
    with _told_database_errors():
        await runner.setup()
    try:
        if demo and await fill_if_empty(services, _composer(settings, database)):
            log.info("filled the empty database with the demo scene")
        spare_startup()
        collector.start()
        await web.SockSite(runner, listener, backlog=4096).start()
        if settings.is_worker:
            tell_parent_ready()
        else:
            host, port = listener.getsockname()[:2]
            _announce(settings, host, port, demo=demo)
        await stop.wait()
        log.info("stopping")
    finally:
        collector.stop()
        await _clean_up(runner)


async def _clean_up(runner: App) -> None:
    cleanup = asyncio.create_task(runner.cleanup())
    _, late = await asyncio.wait({cleanup}, timeout=DRAIN_SECONDS + CLOSE_SECONDS)
    if late:
        # Nobody waits for it any more, and nothing of it was acknowledged.
        log.warning("a database that does not answer holds up the stop; leaving it")
    else:
        await cleanup


def _connections() -> int:
    """How many clients' connections this process may hold, so that files are left for everything else."""
    return max(FEWEST_CONNECTIONS, raise_open_files() - KEPT_FILES - POOL_SIZE - CROWDED)


def _announce(settings: Settings, host: str, port: int, *, demo: bool) -> None:
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    console = Console(highlight=False)
    console.print(f"API      {base}/v1", soft_wrap=True)
    console.print(f"Docs     {base}/docs", soft_wrap=True)
    console.print(f"Health   {base}/readyz", soft_wrap=True)
    for name, address in _doors(settings, base, demo=demo):
        console.print(f"{name:<8} {address}", soft_wrap=True)
    where = "MongoDB of your own" if not settings.is_embedded else str(settings.data_dir)
    console.print(f"Data     {where}", soft_wrap=True)
    if demo:
        console.print("Demo     users ada, bob, cid, dee; `channels token ada` is a way in")
    console.print("Ready.")


def _doors(settings: Settings, base: str, *, demo: bool) -> list[tuple[str, str]]:
    """The addresses of the web app; with a way in where that is safe to show.

    It is where the secret is ours (embedded mode) or the scene is made up, and a person at a terminal reads it: what is
    printed elsewhere ends up in a log. The token stands in the fragment, which no browser sends anywhere.
    """
    reader, console = f"{base}/", f"{base}/console"
    if sys.stdout.isatty() and (demo or settings.is_embedded):
        guest, host, is_admin = ("ada", "cid", False) if demo else ("admin", "admin", True)
        reader += f"#token={_key_for(settings, guest, admin=is_admin)}"
        console += f"#token={_key_for(settings, host, admin=is_admin)}"
    return [("Reader", reader), ("Console", console)]


def _key_for(settings: Settings, user_id: str, *, admin: bool) -> str:
    now = SystemClock().now()
    return mint(settings.signing_secret(), user_id, admin=admin, hours=DOOR_HOURS, now=now)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise StartupError(f"{host} is not an address of this machine: {error}") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartupError(
                f"Port {port} on {host} is taken by another program.",
                cure="Choose another with --port (or CHANNELS_PORT), or 0 for a free one.",
            ) from error
        raise StartupError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def _mongodb(settings: Settings, stop: asyncio.Event) -> AsyncIterator[str]:
    """The connection string of the database, which lives as long as the body where it is ours."""
    if settings.mongodb_uri is not None:
        yield settings.mongodb_uri
        return

    def on_lost() -> None:
        log.error("the embedded database does not come back; stopping")
        stop.set()

    mongo = EmbeddedMongo(settings.data_dir, settings.embedded_cache_gb, on_lost=on_lost)
    await mongo.start()
    try:
        yield mongo.uri
    finally:
        await mongo.stop()
    if mongo.is_lost:
        # Not 0, or whoever keeps the server running would take it for a stop that was asked for.
        raise StartupError(
            "The embedded database ended and could not be started again.",
            cure=f"Its log: {settings.data_dir / 'mongod.log'}",
        )


@contextmanager
def _told_database_errors() -> Iterator[None]:
    """What keeps services from starting, in words for the person at the terminal."""
    try:
        yield
    except Unavailable as error:
        raise StartupError(error.detail, cure="Start again when the database answers.") from error
    except NewerSchema as error:
        raise StartupError(
            "A newer version of this program has stored here what this one does not know"
            f" (version {error.stored} of what is stored; known here: {error.known}).",
            cure="Install that version, or restore the backup from before the update.",
        ) from error


async def _connect(uri: str, name: str) -> Database:
    try:
        return await Database.connect(uri, name)
    except StandaloneServer as error:
        raise StartupError(
            "CHANNELS_MONGODB_URI names a standalone MongoDB server. Channels needs a replica set, one node is enough:"
            " its promises stand on transactions, majority writes and change streams.",
            cure="Start that mongod with `--replSet rs0`, then once run `rs.initiate()` in mongosh.",
        ) from error
    except Unavailable as error:
        raise StartupError(
            error.detail, cure="Check that it runs, and the address in CHANNELS_MONGODB_URI."
        ) from error


# --- several processes ----------------------------------------------------------------------------------------------


async def _supervise(settings: Settings, *, demo: bool) -> None:
    stop = _stop_signal()
    # Bound, never listened on: it keeps the port ours, and tells a taken one before anything is started.
    holder = _listen(settings.host, settings.port, shared=True)
    host, port = holder.getsockname()[:2]
    try:
        async with _mongodb(settings, stop) as uri:
            if demo:
                await _fill(settings, uri)
            crew = WorkerPool(settings.workers, settings.worker_environment(uri, port))
            await crew.start()
            _announce(settings, host, port, demo=demo)
            await stop.wait()
            log.info("stopping")
            await crew.stop()
    finally:
        holder.close()


async def _fill(settings: Settings, uri: str) -> None:
    database = await _connect(uri, settings.database)
    services = create_services(database, settings.limits)
    with _told_database_errors():
        await services.start()
    try:
        await fill_if_empty(services, _composer(settings, database))
    finally:
        await services.stop()
        database.close()


def _composer(settings: Settings, database: Database) -> Compose:
    """What makes services that live by the demo's clock, which tells the days that the scene is set in."""
    return lambda clock: create_services(database, settings.limits, clock=clock)
