"""websockets: websocket_client.py URL CA. Talks, and prints ok."""
import asyncio
import ssl
import sys

from websockets.asyncio.client import connect


async def main(url, ca):
    tls = {"ssl": ssl.create_default_context(cafile=ca)} if url.startswith("wss:") else {}
    async with connect(url, subprotocols=["echo"], max_size=None, proxy=None, **tls) as connection:
        assert await connection.recv() == "hello echo"
        for message in ("text", b"bytes", "", b"x" * 1_000_000, "é" * 70_000):
            await connection.send(message)
            assert await connection.recv() == message
        await (await connection.ping())
    assert connection.close_code == 1000, connection.close_code
    print("ok")

asyncio.run(main(*sys.argv[1:]))
