"""Writes format-2.tsej and format-2.chain: a journal in format 2, from docs/journal-format.md alone.

It shares no code with the engine, so that the two check each other. Run it beside this file; the result is
committed, and a test compares what the engine writes with it byte by byte.
"""
import pathlib
import struct

MASK = (1 << 64) - 1
SIZE = 1024
GUARD = 0xE7D7C7B7
MARK = 0xA5D3C7B9


def crc32c(data):
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = (rest >> 1) ^ (0x82F63B78 if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF


def fold(x, y):
    wide = x * y
    return (wide & MASK) ^ (wide >> 64)


class Hash:
    """Two lanes of multiply-and-fold, as in core/model/src/hash.rs."""

    def __init__(self):
        self.a, self.b = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB

    def word(self, word):
        a = fold(self.a ^ word, 0x8EBC6AF09C88C6E3)
        self.a = ((a << 29) | (a >> 35)) & MASK
        self.b = fold((self.b + word) & MASK, 0x589965CC75374CC3) ^ self.a

    def finish(self):
        return fold(self.a ^ 0x1D8E4E27C47D124F, self.b ^ 0xEB44ACCAB455D165)


def padded(data):
    return data.ljust((len(data) + 7) // 8 * 8, b"\0")


def header(first, chain):
    head = b"TSEJRNL\x01" + struct.pack("<IIQQQ", 2, 0, first, chain, SIZE)
    head = head.ljust(56, b"\0")
    return head + struct.pack("<II", crc32c(head), GUARD)


def number(value):
    """One byte for every seven bits; how many is in the lowest bits of the first."""
    size = max((value.bit_length() + 6) // 7, 1)
    if size > 8:
        return b"\0" + struct.pack("<Q", value)
    return (((value << 1) | 1) << (size - 1)).to_bytes(size, "little")


def folded(value):
    return 2 * value if value >= 0 else -2 * value - 1


def frame(first, version, records, chain):
    """Records are (time, kind, payload)."""
    body, before = b"", records[0][0]
    for time, kind, payload in records:
        body += number(folded(before - time)) + number(kind) + number(len(payload)) + payload
        before = time
    size = struct.pack("<I", (40 + len(padded(body)) + 16) ^ MARK)
    rest = struct.pack("<QqIIHxxxxxx", first, records[0][0], len(records), len(body), version)
    head_crc = crc32c(size + rest)
    running = Hash()
    running.word(chain)
    running.word(head_crc << 32 | crc32c(padded(body)))
    tail = padded(body) + struct.pack("<Q", running.finish())
    tail += struct.pack("<II", crc32c(tail), GUARD)
    return size + struct.pack("<I", head_crc) + rest + tail, running.finish()


NOW = 1_700_000_000_000_000_000
BATCHES = [
    [(NOW + 1, 1, b"first")],
    [(NOW + 2, 2, b""), (NOW - 5, 3, b"the third is a little longer than the others")],
    [(NOW + 2_000_000_000, 300, b"a long one " * 12)],
]

file, chain, sequence = header(1, 0), 0, 1
for batch in BATCHES:
    bytes_, chain = frame(sequence, 1, batch, chain)
    file += bytes_
    sequence += len(batch)
here = pathlib.Path(__file__).parent
(here / "format-2.tsej").write_bytes(file.ljust(SIZE, b"\0"))
(here / "format-2.chain").write_text(f"{chain:016x}\n")
