"""A client of the `mcp` package, version 2: calls the tools it is told on its input, one JSON line each."""

import asyncio
import sys

import lines
from mcp import Client


async def main():
    async with Client(sys.argv[1]) as client:
        tools = await client.list_tools()
        lines.say({"version": str(client.protocol_version), "tools": [tool.name for tool in tools.tools]})
        async for ask in lines.asked():
            heard = []

            async def progress(done, total, message):
                heard.append(done)

            result = await client.call_tool(ask["tool"], ask["arguments"], progress_callback=progress)
            lines.say({"data": result.structured_content, "is_error": bool(result.is_error), "progress": heard})


asyncio.run(main())
