"""Lines of JSON in and out."""

import asyncio
import json
import sys


def say(answer):
    print(json.dumps(answer), flush=True)


async def asked():
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield json.loads(line)
