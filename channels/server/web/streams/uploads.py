"""Uploads are read as their bytes come; downloads are sent whole or in part.

A download never changes, so it may be cached for ever (RFC 9111 `immutable`, RFC 9110 conditional requests and ranges).
It is served inertly: no sniffing, no script, no subresources. Browsers save it unless it is an image, a video or audio.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Final
from urllib.parse import quote, unquote

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http import HttpProcessingError

from channels.server.limits.concurrency import Place
from channels.server.web.problems import RangeNotSatisfiable, UnsupportedMediaType
from channels.server.web.responses import JSON
from groups.kernel.endpoint import Download, Upload
from groups.kernel.errors import InvalidRequest

FILE_NAME_HEADER: Final = "X-File-Name"
CHUNK_BYTES: Final = 64 * 1024
PAUSE_SECONDS: Final = 30.0
"""How long a whole JSON body may take to arrive, and each chunk of an upload."""
TOO_SLOW: Final = f"did not come within {PAUSE_SECONDS:.0f} seconds"
FORM: Final = "multipart/form-data"
_BAD_FORM: Final = (
    ValueError,
    RuntimeError,
    LookupError,
    AssertionError,
    web.RequestPayloadError,
    HttpProcessingError,
)
"""The errors of aiohttp's form reader for a malformed form, such as a bad header of a part."""
_NO_CODING: Final = frozenset({"", "identity"})
_FRAMING: Final = _NO_CODING | {"chunked"}
_NO_PART_CODING: Final = _NO_CODING | {"binary", "8bit", "7bit"}
"""The encodings of a form's part that leave its bytes unchanged (RFC 2045, 6.2)."""
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def refuse_encoded(request: web.BaseRequest) -> None:
    """Refuse a compressed body: a few bytes of it may inflate to any number. Raises: UnsupportedMediaType."""
    if not request.body_exists:
        return
    headers = request.headers
    _refuse_codings(headers.getall(hdrs.CONTENT_ENCODING, ()), hdrs.CONTENT_ENCODING, _NO_CODING)
    _refuse_codings(headers.getall(hdrs.TRANSFER_ENCODING, ()), hdrs.TRANSFER_ENCODING, _FRAMING)


def _refuse_codings(lines: Iterable[str], header: str, allowed: frozenset[str]) -> None:
    codings = [coding.strip().lower() for line in lines for coding in line.split(",")]
    if not allowed.issuperset(codings):
        given = ", ".join(codings)[:100]
        raise UnsupportedMediaType(
            f"Send the body unencoded, without `{header}: {given}`", header=header, encoding=given
        )


async def upload_of(request: web.BaseRequest) -> Upload:
    """The file that the request carries. Raises: UnsupportedMediaType for JSON that is not named as a file."""
    if request.content_type == JSON and FILE_NAME_HEADER not in request.headers:
        # A client that sends JSON means a call; its JSON would be stored as a file that nobody wants.
        raise UnsupportedMediaType(
            f"Send the bytes of the file itself, or a form; a file of JSON needs `{FILE_NAME_HEADER}`",
            content_type=JSON,
        )
    if request.content_type != FORM:
        # Percent-encoded, since a header cannot carry every name.
        name = unquote(request.headers.get(FILE_NAME_HEADER, ""))
        damage = "cannot be read as its headers say"
        chunks = _chunks(request.content.readany, damage, (web.RequestPayloadError,))
        return Upload(chunks, request.content_length, name)
    try:
        reader = await request.multipart()
        while True:
            async with asyncio.timeout(PAUSE_SECONDS):
                part = await reader.next()
            if part is None:
                break
            if isinstance(part, BodyPartReader) and part.filename is not None:
                lines = part.headers.getall
                _refuse_codings(lines(hdrs.CONTENT_ENCODING, ()), hdrs.CONTENT_ENCODING, _NO_CODING)
                _refuse_codings(
                    lines(hdrs.CONTENT_TRANSFER_ENCODING, ()),
                    hdrs.CONTENT_TRANSFER_ENCODING,
                    _NO_PART_CODING,
                )
                # A form is longer than the file in it, whose own length is rarely given.
                read = partial(part.read_chunk, CHUNK_BYTES)
                chunks = _chunks(read, "the form is cut off", _BAD_FORM)
                return Upload(chunks, None, part.filename)
    except TimeoutError:
        raise InvalidRequest(errors=[{"field": "body", "reason": TOO_SLOW}]) from None
    except _BAD_FORM:
        raise InvalidRequest(errors=[{"field": "body", "reason": "is not a form"}]) from None
    raise InvalidRequest(errors=[{"field": "file", "reason": "the form has no file"}])


async def _chunks(
    read: Callable[[], Awaitable[bytes]], damage: str, errors: tuple[type[Exception], ...]
) -> AsyncIterator[bytes]:
    try:
        while True:
            async with asyncio.timeout(PAUSE_SECONDS):
                chunk = await read()
            if not chunk:
                return
            yield chunk
    except TimeoutError:
        raise InvalidRequest(errors=[{"field": "body", "reason": TOO_SLOW}]) from None
    except errors:
        raise InvalidRequest(errors=[{"field": "body", "reason": damage}]) from None


async def serve_download(
    request: web.BaseRequest,
    download: Download,
    common: Mapping[str, str],
    acquire_chunk: Callable[[], Awaitable[Place]],
) -> web.StreamResponse:
    """Send the file or the requested range under these headers and its own, or 304 if the client has it.

    `acquire_chunk` is awaited before each chunk is read. Raises: RangeNotSatisfiable.
    """
    etag = f'"{download.etag}"'
    headers = {
        **common,
        hdrs.ETAG: etag,
        hdrs.CACHE_CONTROL: "private, max-age=31536000, immutable",
        hdrs.ACCEPT_RANGES: "bytes",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        hdrs.CONTENT_DISPOSITION: _disposition(download),
    }
    if any(tag.value in {download.etag, "*"} for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    start, end, status = 0, download.size_bytes, 200
    given = request.headers.get(hdrs.RANGE)
    if given is not None and request.headers.get(hdrs.IF_RANGE, etag) == etag:
        span = _range_of(given, download.size_bytes)
        if span is not None:
            (start, end), status = span, 206
            headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{download.size_bytes}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_type = download.content_type
    response.content_length = end - start
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        # Nothing is read for it, and aiohttp would send a chunk that is written.
        await response.write_eof()
        return response
    chunks = download.read(start, end - start)
    while chunk := await _next_chunk(chunks, acquire_chunk):
        await response.write(chunk)
    await response.write_eof()
    return response


async def _next_chunk(
    chunks: AsyncIterator[bytes], acquire_chunk: Callable[[], Awaitable[Place]]
) -> bytes:
    with await acquire_chunk():
        return await anext(chunks, b"")


def _range_of(text: str, size: int) -> tuple[int, int] | None:
    """First byte and end of the range; None to ignore the header (RFC 9110, 14.2): several ranges, or nonsense."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.group(1), match.group(2)
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(size_bytes=size)
    return start, end


def _disposition(download: Download) -> str:
    how = "inline" if download.is_shown else "attachment"
    if not download.name:
        return how
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", download.name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(download.name, safe='')}"
