"""Reads and writes one JSON value per line."""

import asyncio
import json
import sys


def write(value):
    print(json.dumps(value), flush=True)


async def read():
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield json.loads(line)
