"""A made-up photo, as a PNG file of our own making."""

import random
import struct
import zlib


def png(seed: int, width: int = 640, height: int = 480) -> bytes:
    """Coloured blocks, different for each seed."""
    dice = random.Random(seed)
    blocks = [[dice.randbytes(3) for _ in range(width // 32)] for _ in range(height // 32)]
    lines = (b"\x00" + b"".join(pixel * 32 for pixel in blocks[y // 32]) for y in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in parts)
