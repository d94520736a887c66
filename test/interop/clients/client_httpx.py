"""httpx: client_httpx.py WAY URL CA. WAY is h1 or h2. Prints what it saw as JSON."""
import asyncio
import hashlib
import json
import ssl
import sys

import httpx


async def main(way, url, ca):
    # httpx checks the name in the URL, and the certificate has the address, too.
    async with httpx.AsyncClient(http1=way == "h1", http2=way == "h2", verify=ssl.create_default_context(cafile=ca), base_url=url,
                                 timeout=30, trust_env=False) as client:
        text = await client.get("/")
        sent = b"0123456789abcdef" * 20000

        async def pieces():
            yield sent
            yield sent
        echo, streamed = await client.post("/", content=sent), await client.post("/", content=pieces())
        big, head = await client.get("/big"), await client.head("/")
        many = await asyncio.gather(*(client.get("/") for _ in range(50)))
    print(json.dumps({"version": text.http_version, "text": text.text, "echo": echo.content == sent and streamed.content == 2 * sent,
                      "big": hashlib.sha256(big.content).hexdigest(), "head": int(head.headers["content-length"]),
                      "parallel": sum(one.content == text.content for one in many)}))

asyncio.run(main(*sys.argv[1:]))
