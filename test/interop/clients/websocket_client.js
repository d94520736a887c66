// ws: node websocket_client.js URL CA. With h2 in place of ws in the URL it is Node's http2 with extended CONNECT (RFC 8441), and ws
// on top of the stream. Prints ok.
"use strict";
const fs = require("fs"), http2 = require("http2");
const WebSocket = require("ws");
const [url, ca] = process.argv.slice(2);
const tls = {ca: fs.readFileSync(ca), servername: "server.test"};

function overHttp2(then) {
  const session = http2.connect(url.replace("h2", "http"), tls);
  session.on("remoteSettings", () => {
    const stream = session.request({":method": "CONNECT", ":protocol": "websocket", ":path": "/", "sec-websocket-version": "13",
      // RFC 8441 has no key, and the origin, which speaks HTTP/1, wants one: like Envoy, the proxy makes none up.
      "sec-websocket-protocol": "echo", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}, {endStream: false});
    stream.on("response", (fields) => {
      if (fields[":status"] !== 200) throw new Error("status " + fields[":status"]);
      // A socket, as ws sees it.
      stream.setNoDelay = () => {};
      const socket = new WebSocket(null, undefined, {});
      socket._isServer = false;
      socket.setSocket(stream, Buffer.alloc(0), {allowSynchronousEvents: true, maxPayload: 0, skipUTF8Validation: false});
      socket.on("close", () => session.close());
      then(socket);
    });
  });
}

function talk(socket) {
  const sent = ["text", Buffer.alloc(1000000, "x"), "\u00e9".repeat(70000)];
  let got = 0;
  socket.on("message", (data, binary) => {
    const want = got === 0 ? Buffer.from("hello echo") : Buffer.from(sent[got - 1]);
    if (!data.equals(want) || binary !== (got === 2)) throw new Error("message " + got);
    if (got === sent.length) return socket.close(1000);
    socket.send(sent[got++]);
  });
  socket.on("close", (code) => {
    if (code !== 1000 || got !== sent.length) throw new Error("closed with " + code + " after " + got);
    console.log("ok");
  });
}

if (url.startsWith("h2")) overHttp2(talk);
else talk(new WebSocket(url, ["echo"], tls));
