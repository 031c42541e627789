"""The same with aiomqtt."""

import asyncio
import sys

import aiomqtt

port, topic, count = sys.argv[1:]


async def main() -> None:
    left = int(count)
    async with aiomqtt.Client(
        "127.0.0.1",
        int(port),
        identifier="aiomqtt-sub",
        transport="websockets",
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as client:
        await client.subscribe(topic, 1)
        async for message in client.messages:
            sys.stdout.buffer.write(bytes(message.payload) + b"\n")
            left -= 1
            if not left:
                return


asyncio.run(main())
