"""A WebSocket server (websockets): sends back what it gets, says which subprotocol was chosen in its first message. Prints its port."""
import asyncio

from websockets.asyncio.server import serve


async def echo(connection):
    await connection.send("hello " + str(connection.subprotocol))
    async for message in connection:
        await connection.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0, subprotocols=["echo"], max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

asyncio.run(main())
