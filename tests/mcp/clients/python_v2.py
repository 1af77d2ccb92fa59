"""A client of the `mcp` package, version 2: calls a tool for each JSON line of its input."""

import asyncio
import sys

import lines
from mcp import Client


async def main():
    async with Client(sys.argv[1]) as client:
        tools = await client.list_tools()
        lines.write({"version": str(client.protocol_version), "tools": [tool.name for tool in tools.tools]})
        async for call in lines.read():
            steps = []

            async def progress(done, total, message):
                steps.append(done)

            result = await client.call_tool(call["tool"], call["arguments"], progress_callback=progress)
            lines.write({
                "data": result.structured_content,
                "text": getattr(result.content[0], "text", ""),
                "is_error": bool(result.is_error),
                "progress": steps,
                "bytes": lines.size(result),
            })


asyncio.run(main())
