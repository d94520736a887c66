// Node's own clients: node client.js WAY URL CA. WAY is h1 or h2; the URL says whether there is TLS. Prints what it saw as JSON.
"use strict";
const [way, url, ca] = process.argv.slice(2);
const crypto = require("crypto"), fs = require("fs"), http = require("http"), http2 = require("http2"), https = require("https");
const secure = url.startsWith("https:");
const tls = secure ? {ca: fs.readFileSync(ca), servername: "server.test"} : {};

function h1() {
  const agent = new (secure ? https : http).Agent({keepAlive: true, maxSockets: 8});
  return {end: () => agent.destroy(), ask: (method, path, parts) => new Promise((done, failed) => {
    const request = (secure ? https : http).request(url + path, {method, agent, ...tls}, (answer) => {
      const got = [];
      answer.on("data", (piece) => got.push(piece)).on("error", failed);
      answer.on("end", () => done({version: "HTTP/" + answer.httpVersion, body: Buffer.concat(got), length: answer.headers["content-length"]}));
    });
    request.on("error", failed);
    parts.forEach((part) => request.write(part));
    request.end();
  })};
}

function h2() {
  const session = http2.connect(url, tls);
  return {end: () => session.close(), ask: (method, path, parts) => new Promise((done, failed) => {
    const stream = session.request({":method": method, ":path": path}, {endStream: parts.length === 0});
    const got = [];
    let headers;
    stream.on("response", (fields) => { headers = fields; });
    stream.on("data", (piece) => got.push(piece)).on("error", failed);
    stream.on("end", () => done({version: "HTTP/2.0", body: Buffer.concat(got), length: headers["content-length"]}));
    parts.forEach((part) => stream.write(part));
    if (parts.length > 0) stream.end();
  })};
}

(async () => {
  const client = way === "h2" ? h2() : h1();
  const text = await client.ask("GET", "/", []);
  const sent = Buffer.alloc(320000, "0123456789abcdef");
  const echo = await client.ask("POST", "/", [sent, sent]);
  const big = await client.ask("GET", "/big", []);
  const head = await client.ask("HEAD", "/", []);
  const many = await Promise.all(Array.from({length: 50}, () => client.ask("GET", "/", [])));
  client.end();
  console.log(JSON.stringify({version: text.version, text: text.body.toString(), echo: echo.body.equals(Buffer.concat([sent, sent])),
    big: crypto.createHash("sha256").update(big.body).digest("hex"), head: Number(head.length),
    parallel: many.filter((one) => one.body.equals(text.body)).length}));
})().catch((error) => { console.error(error); process.exit(1); });
