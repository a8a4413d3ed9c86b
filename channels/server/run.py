"""Runs the server: on the embedded database or a given one, in one process or several, until SIGTERM or SIGINT.

With several workers the parent process owns the embedded database and starts the server processes (`workers`). They
share the port (SO_REUSEPORT) and the database, and learn of each other's commits through the database.
"""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
import uvloop
from aiohttp import web
from rich.console import Console

from channels.demo.bot import DemoBot
from channels.demo.service import Compose, fill_if_empty
from channels.server import logs
from channels.server.app import App, create_services
from channels.server.embedded.supervisor import EmbeddedMongo
from channels.server.garbage_collection import Collector, spare_startup
from channels.server.open_files import raise_open_files
from channels.server.settings import Settings
from channels.server.startup import StartupError
from channels.server.tokens import mint
from channels.server.web.pages.demo import DemoPages, is_loopback
from channels.server.web.protocol import CROWDED
from channels.server.workers import WorkerPool, stop_with_parent, tell_parent_ready
from groups.kernel.clock import SystemClock
from groups.kernel.errors import Unavailable
from groups.kernel.mongo import POOL_SIZE, Database, OldServer, StandaloneServer
from groups.kernel.mongo.schema import NewerSchema

if TYPE_CHECKING:
    from channels.server.tracing import Tracing

DRAIN_SECONDS: Final = 15.0  # that requests under way have to finish after a stop signal

KEPT_FILES: Final = 64
"""Open files that are not connections of clients: listeners, logs, temporary files, and those of libraries."""
FEWEST_CONNECTIONS: Final = 16  # even when the system allows hardly any files

CLOSE_SECONDS: Final = 5.0  # that the stop then waits for a database that does not answer

LINK_HOURS: Final = 12  # that the sign-in links printed at the start are valid

log = structlog.get_logger("channels")


def serve(settings: Settings, *, demo: bool = False) -> None:
    """Serve until SIGTERM or SIGINT. Raises: StartupError with the problem and its cure."""
    # With several workers, each of them traces what it serves.
    tracing = _tracing(settings) if settings.workers == 1 else None
    logs.configure(settings.log_format, processors=[tracing.add_ids] if tracing else [])
    raise_open_files()  # a connection takes one
    if settings.workers > 1:
        uvloop.run(_supervise(settings, demo=demo))
    else:
        uvloop.run(_serve(settings, tracing, demo=demo))


def _tracing(settings: Settings) -> "Tracing | None":
    """The traces of this process, not started. Imported here, so that a server without them has no such libraries."""
    if settings.tracing == "off":
        return None
    try:
        from channels.server.tracing import Tracing
    except ImportError as error:
        raise StartupError(
            f"CHANNELS_TRACING=otel needs libraries that are not installed ({error.name}).",
            cure="Install them: pip install 'channel-layer[otel]'",
        ) from error
    return Tracing()


async def _serve(settings: Settings, tracing: "Tracing | None", *, demo: bool) -> None:
    if tracing is not None:
        tracing.start()
    try:
        await _serve_until_stopped(settings, tracing, demo=demo)
    finally:
        if tracing is not None:
            await tracing.stop()


async def _serve_until_stopped(
    settings: Settings, tracing: "Tracing | None", *, demo: bool
) -> None:
    stop = _stop_signal()
    if settings.is_worker:
        await stop_with_parent(stop)
    listener = _listen(settings.host, settings.port, shared=settings.is_worker)
    try:
        async with _mongodb(settings, stop) as uri:
            with database_errors_as_startup_errors():
                database = await open_database(settings, uri)
            try:
                database.batch_tracing = tracing
                await _run_app(settings, database, listener, stop, tracing, demo=demo)
            finally:
                await database.close()
    finally:
        listener.close()


async def _run_app(
    settings: Settings,
    database: Database,
    listener: socket.socket,
    stop: asyncio.Event,
    tracing: "Tracing | None",
    *,
    demo: bool,
) -> None:
    # The port that the system chose, where the setting is 0.
    share = settings.share_options(listener.getsockname()[1])
    options = replace(settings.service_options, share=share)
    services = create_services(database, settings.limits, options=options)
    bot = DemoBot(scene=services) if demo and _is_private(settings) else None
    runner = App(
        services,
        settings.signing_secret(),
        previous_secret=settings.accepted_secret(),
        identity=settings.identity_provider(),
        allowed_origins=settings.allowed_origins,
        trusted_proxies=settings.trusted_proxies,
        shutdown_timeout=DRAIN_SECONDS / 2,  # aiohttp waits this long twice before it cancels
        public_pages=settings.public_pages,
        public_url=settings.public_url,
        sign_in_url=settings.sign_in_url,
        demo=None if bot is None else DemoPages(bot, partial(_link_token, settings, admin=False)),
        connections=_connections(),
        metrics_token=settings.needed_for_metrics(),
        traced=tracing.served if tracing is not None else None,
    )
    collector = Collector(lambda: not runner.load_shedder.at_work)
    with database_errors_as_startup_errors():
        await runner.setup()
    try:
        if demo and await fill_if_empty(services, _composer(settings, database)):
            log.info("filled the empty database with the demo scene")
        spare_startup()
        collector.task.start()
        if bot is not None:
            bot.task.start()
        await web.SockSite(runner, listener, backlog=4096).start()
        if settings.is_worker:
            tell_parent_ready()
        else:
            host, port = listener.getsockname()[:2]
            _announce(settings, host, port, demo=demo)
        await stop.wait()
        log.info("stopping")
    finally:
        await collector.task.stop()
        if bot is not None:
            await bot.task.stop()
        await _clean_up(runner)


async def _clean_up(runner: App) -> None:
    cleanup = asyncio.create_task(runner.cleanup())
    _, late = await asyncio.wait({cleanup}, timeout=DRAIN_SECONDS + CLOSE_SECONDS)
    if late:
        # Clients are gone, and nothing that is unfinished was acknowledged.
        log.warning("stopping without the database, which does not answer")
    else:
        await cleanup


def _connections() -> int:
    """How many client connections this process may hold, so that open files are left for everything else."""
    return max(FEWEST_CONNECTIONS, raise_open_files() - KEPT_FILES - POOL_SIZE - CROWDED)


def _is_private(settings: Settings) -> bool:
    """Whether only this machine reaches the server, so that the demo may sign people in without a password."""
    return (
        is_loopback(settings.host) and settings.public_url is None and not settings.trusted_proxies
    )


def _announce(settings: Settings, host: str, port: int, *, demo: bool) -> None:
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    console = Console(highlight=False)
    console.print(f"API      {base}/v1", soft_wrap=True)
    console.print(f"Docs     {base}/docs", soft_wrap=True)
    console.print(f"Health   {base}/readyz", soft_wrap=True)
    for name, address in _links(settings, base, demo=demo):
        console.print(f"{name:<8} {address}", soft_wrap=True)
    where = "MongoDB of your own" if not settings.is_embedded else str(settings.data_dir)
    console.print(f"Data     {where}", soft_wrap=True)
    if demo and _is_private(settings):
        console.print(f"Start    {base}/demo", soft_wrap=True)
    if demo:
        console.print("Demo     users ada, bob, cid, dee; sign in with `channels token ada`")
    console.print("Ready.")


def _links(settings: Settings, base: str, *, demo: bool) -> list[tuple[str, str]]:
    """The addresses of the web app, with a token in them when that is safe.

    It is safe on a terminal, for the demo or in embedded mode: output that is no terminal ends up in a log. The token
    stands in the fragment, which browsers do not send.
    """
    reader, console = f"{base}/", f"{base}/console"
    if sys.stdout.isatty() and (demo or settings.is_embedded):
        guest, host, is_admin = ("ada", "cid", False) if demo else ("admin", "admin", True)
        reader += f"#token={_link_token(settings, guest, admin=is_admin)}"
        console += f"#token={_link_token(settings, host, admin=is_admin)}"
    return [("Reader", reader), ("Console", console)]


def _link_token(settings: Settings, user_id: str, *, admin: bool) -> str:
    now = SystemClock().now()
    return mint(settings.signing_secret(), user_id, admin=admin, hours=LINK_HOURS, now=now)


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
                f"Port {port} on {host} is in use by another program.",
                cure="Choose another with --port (or CHANNELS_PORT), or 0 for a free one.",
            ) from error
        raise StartupError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def _mongodb(settings: Settings, stop: asyncio.Event) -> AsyncIterator[str]:
    """The connection string. An embedded database runs until the body ends."""
    if settings.mongodb_uri is not None:
        yield settings.mongodb_uri
        return

    def on_lost() -> None:
        log.error("the embedded database could not be restarted; stopping")
        stop.set()

    mongo = EmbeddedMongo(settings.data_dir, settings.embedded_cache_gb, on_lost=on_lost)
    await mongo.start()
    try:
        yield mongo.uri
    finally:
        await mongo.stop()
    if mongo.is_lost:
        # Exit code 0 would tell a process manager that the stop was requested.
        raise StartupError(
            "The embedded database ended and could not be started again.",
            cure=f"Its log: {settings.data_dir / 'mongod.log'}",
        )


@contextmanager
def database_errors_as_startup_errors() -> Iterator[None]:
    """Translates errors of the database into messages for the person at the terminal."""
    try:
        yield
    except StandaloneServer as error:
        raise StartupError(
            "CHANNELS_MONGODB_URI names a standalone MongoDB server. Channels needs a replica set, one node is enough:"
            " its promises stand on transactions, majority writes and change streams.",
            cure="Start that mongod with `--replSet rs0`, then once run `rs.initiate()` in mongosh.",
        ) from error
    except OldServer as error:
        raise StartupError(
            "CHANNELS_MONGODB_URI names a MongoDB server older than 6.0.",
            cure="Upgrade it to 6.0 or newer. The tests run on 6.0.",
        ) from error
    except Unavailable as error:
        raise StartupError(
            error.detail,
            cure="Check that the database runs, and the address in CHANNELS_MONGODB_URI.",
        ) from error
    except NewerSchema as error:
        raise StartupError(
            "The data was stored by a newer version of this program"
            f" (data version {error.stored}; this program knows versions up to {error.known}).",
            cure="Install the newer version, or restore the backup made before the upgrade.",
        ) from error


async def _supervise(settings: Settings, *, demo: bool) -> None:
    stop = _stop_signal()
    # Bound but never listening: it reserves the port, and reports one in use before anything starts.
    holder = _listen(settings.host, settings.port, shared=True)
    host, port = holder.getsockname()[:2]
    try:
        async with _mongodb(settings, stop) as uri:
            if demo:
                await _fill(settings, uri)
            pool = WorkerPool(settings.workers, settings.worker_environment(uri, port))
            await pool.start()
            _announce(settings, host, port, demo=demo)
            await stop.wait()
            log.info("stopping")
            await pool.stop()
    finally:
        holder.close()


def open_database(settings: Settings, uri: str) -> Awaitable[Database]:
    """Connect to the database as the settings say. Raises: as `Database.connect`."""
    return Database.connect(
        uri,
        settings.database,
        driver=settings.driver,
        keys_per_transaction=settings.keys_per_transaction,
    )


async def _fill(settings: Settings, uri: str) -> None:
    with database_errors_as_startup_errors():
        database = await open_database(settings, uri)
        services = create_services(database, settings.limits)
        await services.start()
    try:
        await fill_if_empty(services, _composer(settings, database))
    finally:
        await services.stop()
        await database.close()


def _composer(settings: Settings, database: Database) -> Compose:
    """Makes services that run on the demo's clock, since the scene spans several days."""
    return lambda clock: create_services(database, settings.limits, clock=clock)
