"""What stands between a phone and its server in some tests: a wire that can be held, and a server that only refuses."""

import asyncio


class Wire:
    """Passes bytes on to a server; while it is held, what a phone sends goes nowhere."""

    def __init__(self, target: str) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._open = asyncio.Event()
        self._open.set()
        self._tasks = set()
        self.reached = asyncio.Event()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hold(self) -> None:
        """From now on nothing passes; `reached` is set when a phone has sent something."""
        self.reached.clear()
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def _serve(self, reader, writer) -> None:
        self._tasks.add(asyncio.current_task())
        try:
            there, back = await asyncio.open_connection(*self._target)
            await asyncio.gather(self._pass(reader, back, True), self._pass(there, writer, False))
            back.close()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(asyncio.current_task())

    async def _pass(self, reader, writer, outward: bool) -> None:
        while data := await reader.read(1 << 16):
            if outward and not self._open.is_set():
                self.reached.set()
            await self._open.wait()
            writer.write(data)
            await writer.drain()
        writer.write_eof() if writer.can_write_eof() else None


def error_body(cbor: bytes) -> bytes:
    """CBOR as the protocol frames it: one zstd frame, here with a single block that is not compressed."""
    size, block = len(cbor), (len(cbor) << 3) | 1
    return b"\x28\xb5\x2f\xfd\x20" + bytes([size]) + block.to_bytes(3, "little") + cbor


# Errors of `schemas/sync.cddl`, the words of a server.
TOO_OLD = (426, error_body(bytes([0x82, 0x05, 0x82, 0x18, 90, 0x18, 91])))
MALFORMED = (400, error_body(b"\x82\x03\x81\x64made"))


class Refusing:
    """A server that answers every request with one error."""

    def __init__(self, status: int, body: bytes) -> None:
        self._status, self._body = status, body

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), None)
        if length is None:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            await reader.readexactly(length)
        words = f"HTTP/1.1 {self._status} Refused\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
        writer.write(words.encode() + self._body)
        await writer.drain()
        writer.close()
