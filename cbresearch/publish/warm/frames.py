"""Jupyter messages over a pipe: length-prefixed parts, the parts of one message together."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any

from jupyter_client.session import Session

SHELL, IOPUB, STDIN = b"shell", b"iopub", b"stdin"
LENGTH = struct.Struct("<Q")
COUNT = struct.Struct("<I")


def packed(parts: list[bytes | memoryview]) -> bytes:
    """Number of parts, their lengths, the parts."""
    sizes = [memoryview(part).nbytes for part in parts]
    head = COUNT.pack(len(parts)) + b"".join(LENGTH.pack(size) for size in sizes)
    return b"".join([head, *parts])


def write(fd: int, data: bytes) -> None:
    """All of it, whatever a pipe takes at a time."""
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


class Reader:
    """Takes bytes as they come, gives whole messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[list[bytes]]:
        self._data += data
        while (parts := self._next()) is not None:
            yield parts

    def _next(self) -> list[bytes] | None:
        if len(self._data) < COUNT.size:
            return None
        (count,) = COUNT.unpack_from(self._data)
        head = COUNT.size + count * LENGTH.size
        if len(self._data) < head:
            return None
        sizes = [LENGTH.unpack_from(self._data, COUNT.size + i * LENGTH.size)[0] for i in range(count)]
        if len(self._data) < head + sum(sizes):
            return None
        parts, at = [], head
        for size in sizes:
            parts.append(bytes(self._data[at : at + size]))
            at += size
        del self._data[:at]
        return parts


def message_parts(session: Session, channel: bytes, message: dict[str, Any]) -> list[bytes | memoryview]:
    """A message as parts: channel, four packed dicts, buffers."""
    pack = session.pack
    told = (pack(message[name]) for name in ("header", "parent_header", "metadata", "content"))
    return [channel, *told, *(memoryview(buffer) for buffer in message.get("buffers") or ())]


def message_of(session: Session, parts: list[bytes]) -> tuple[bytes, dict[str, Any]]:
    """The channel with the message, as jupyter_client gives it to a client."""
    channel, *dicts = parts[:5]
    header, parent, metadata, content = (session.unpack(one) for one in dicts)
    header, parent = _dated(header), _dated(parent)
    return channel, {
        "header": header, "parent_header": parent, "metadata": metadata, "content": content, "buffers": parts[5:],
        "msg_id": header["msg_id"], "msg_type": header["msg_type"],
    }  # fmt: skip


def _dated(header: dict[str, Any]) -> dict[str, Any]:
    from jupyter_client.jsonutil import extract_dates

    return dict(extract_dates(header))
