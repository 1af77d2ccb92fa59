"""A client of the `mcp` package, version 1: calls the tools it is told on its input, one JSON line each."""

import asyncio
import sys

import lines
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main():
    async with streamablehttp_client(sys.argv[1]) as (read, write, _), ClientSession(read, write) as session:
        began = await session.initialize()
        tools = await session.list_tools()
        lines.say({"version": str(began.protocolVersion), "tools": [tool.name for tool in tools.tools]})
        async for ask in lines.asked():
            heard = []

            async def progress(done, total, message):
                heard.append(done)

            result = await session.call_tool(ask["tool"], ask["arguments"], progress_callback=progress)
            lines.say({"data": result.structuredContent, "is_error": result.isError, "progress": heard})


asyncio.run(main())
