"""Reads and writes one JSON value per line."""

import asyncio
import json
import sys


def write(value):
    print(json.dumps(value), flush=True)


def size(result):
    """The size of a tool's result as JSON, in bytes."""
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


async def read():
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield json.loads(line)
