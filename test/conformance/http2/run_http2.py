#!/usr/bin/env python3
"""Runs the HTTP/2 abuse corpus against a proxy's cleartext HTTP/2 (prior knowledge) listener. Stdlib only.

  run_http2.py --proxy 127.0.0.1:8080 [--upstream-port 19001] [--cases open.jsonl]
               [--class C] [--id ID] [--strict] [--pid PID] [--tls] [--json out.json] [-v]

Proxy configuration as for run_http1.py (everything to http://127.0.0.1:<upstream-port>, HTTP/1.1, no retries, X-Forwarded-For
added); the upstream must allow >= 4000 concurrent connections/pending requests or, better, have circuit breakers.
--pid: process whose own memory (proc.owned) may grow by a case's rss_mb.   --tls: TLS with ALPN h2, unverified.
After every case a fresh connection must serve a GET within 3 s (the follow-up); a dead or hung proxy fails the case.
"""
import argparse, base64, json, os, re, select, socket, ssl, struct, sys, threading, time
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("..", "../http1")]
import run_http1 as h1
from proc import owned

HUFF = [13,23,28,28,28,28,28,28,28,24,30,28,28,30,28,28,28,28,28,28,28,28,30,28,28,28,28,28,28,28,28,28,6,10,10,12,13,6,8,11,10,10,8,11,8,6,6,6,5,5,5,6,6,6,6,6,6,6,7,8,15,6,12,10,13,6,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,8,7,8,13,19,13,14,6,15,5,6,5,6,5,6,6,6,5,7,7,6,6,6,5,6,7,6,5,5,6,7,7,7,7,7,15,11,14,13,28,20,22,20,20,22,22,22,23,22,23,23,23,23,23,24,23,24,24,22,23,24,23,23,23,23,21,22,23,22,23,23,24,22,21,20,22,22,23,23,21,23,22,22,24,21,22,23,23,21,21,22,21,23,22,23,23,20,22,22,22,23,22,22,23,26,26,20,19,22,23,22,25,26,26,26,27,27,26,24,25,19,21,26,27,27,26,27,24,21,21,26,26,28,27,27,27,20,24,20,21,22,21,21,23,22,22,25,25,24,24,26,23,26,27,26,26,27,27,27,27,27,28,27,27,27,27,27,26,30]
STATIC = [None, (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate")] + [(n, "") for n in "accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate".split()]
ERR = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]
TREE = {}
def _build():
    code = 0; last = 0
    for ln, s in sorted((l, i) for i, l in enumerate(HUFF)):
        code <<= (ln - last); last = ln
        TREE[(ln, code)] = s; code += 1
_build()


def huff(b):
    out = bytearray(); acc = n = 0
    for byte in b:
        for i in range(7, -1, -1):
            acc = acc << 1 | byte >> i & 1; n += 1
            s = TREE.get((n, acc))
            if s is not None: out.append(s & 255); acc = n = 0
    return bytes(out)


class Decoder:
    def __init__(self): self.dyn = []
    def int(self, b, i, p):
        m = (1 << p) - 1; v = b[i] & m; i += 1
        if v < m: return v, i
        sh = 0
        while True:
            v += (b[i] & 127) << sh; sh += 7; i += 1
            if not b[i - 1] & 128: return v, i
    def str(self, b, i):
        h = b[i] & 128; n, i = self.int(b, i, 7); s = b[i:i + n]
        return (huff(s) if h else s).decode("latin-1"), i + n
    def get(self, k): return STATIC[k] if k < len(STATIC) else self.dyn[k - len(STATIC)]
    def decode(self, b):
        i = 0; out = []
        while i < len(b):
            x = b[i]
            if x & 128: k, i = self.int(b, i, 7); out.append(self.get(k)); continue
            if x & 0xe0 == 0x20: _, i = self.int(b, i, 5); continue
            p = 6 if x & 64 else 4
            k, i = self.int(b, i, p)
            n = self.get(k)[0] if k else None
            if n is None: n, i = self.str(b, i)
            v, i = self.str(b, i); out.append((n, v))
            if p == 6: self.dyn.insert(0, (n, v)); del self.dyn[200:]
        return out


def venc(n, p, top):
    m = (1 << p) - 1
    if n < m: return bytes([top | n])
    o = bytearray([top | m]); n -= m
    while n >= 128: o.append(n % 128 + 128); n //= 128
    o.append(n); return bytes(o)
def lit(n, v):
    n = n.encode("latin-1"); v = v.encode("latin-1")
    return b"\0" + venc(len(n), 7, 0) + n + venc(len(v), 7, 0) + v
def frame(t, fl, sid, p=b"", declen=None): return struct.pack(">I", len(p) if declen is None else declen)[1:] + bytes([t, fl]) + struct.pack(">I", sid & 0xffffffff) + p


# upstream with special targets -----------------------------------------------------------------
class Up2(h1.Up):
    held = set(); peak = 0; most = None; slot = threading.Lock()
    @staticmethod
    def gone(c):
        """Whether the proxy has ended this connection; the thread that holds it may not have come to see that."""
        p = select.poll()
        try: p.register(c, select.POLLIN); return bool(p.poll(0)) and not c.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError): return True
    @classmethod
    def hold(cls, c):
        """One more; above what the case allows, only those count that the proxy still has."""
        with cls.slot:
            cls.held.add(c); n = len(cls.held)
            if cls.most is not None and n > cls.most: n = sum(not cls.gone(x) for x in cls.held)
            cls.peak = max(cls.peak, n)
    def default(self, c, ev, cid):
        t = ev["target"]
        if t.startswith("/hold"):
            Up2.hold(c)
            try:
                c.settimeout(0.05); end = time.time() + 2.0
                while time.time() < end:
                    try:
                        if not c.recv(1, socket.MSG_PEEK): break
                        time.sleep(0.02)
                    except socket.timeout: pass
                    except OSError: break
                c.settimeout(None)
            finally:
                with Up2.slot: Up2.held.discard(c)
        if t.startswith("/big4m"):
            try:
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n"); c.settimeout(6)
                for _ in range(400): c.sendall(b"0123456789" * 1000)
                c.settimeout(None)
            except OSError: raise
            return
        super().default(c, ev, cid)
    def reply(self, c, spec, ev, cid):
        if ev["target"].startswith("/noread"):
            time.sleep(3); raise OSError("noread")
        self.default(c, ev, cid)
        return False


PATIENCE = 20           # seconds for what must come; on a machine without other work it takes milliseconds


class Conn:
    def __init__(self, o, timeout=PATIENCE):
        self.s = socket.create_connection(o.addr, timeout=timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if o.tls:
            x = ssl.create_default_context(); x.check_hostname = False; x.verify_mode = ssl.CERT_NONE; x.set_alpn_protocols(["h2"])
            self.s = x.wrap_socket(self.s, server_hostname="example.test")
        self.s.setblocking(False); self.tls = o.tls
        self.dec = Decoder(); self.inb = bytearray(); self.status = {}; self.hdrs = {}; self.body = {}; self.ended = set(); self.rst = {}; self.goaway = None; self.closed = False
        self.rstrm = False; self.settings = {}; self.noread = False; self.out = bytearray(); self.stalled = False; self.frag = {}; self.raw0 = b""; self.autowu = True; self.cnt = 0; self.peerwin = 65535

    def pump(self, t, until=None):
        """write pending, read and handle, for at most t seconds; True if until() became true"""
        end = time.time() + t; lastprog = time.time()
        while True:
            if until and until(): return True
            now = time.time()
            if now > end or (self.closed and not self.out): return False
            if self.closed: self.out.clear(); return False
            r, w, _ = h1.ready([] if self.noread else [self.s], [self.s] if self.out else [], [], min(0.02, max(0.0, end - now)))
            if w:
                try:
                    k = self.s.send(self.out[:131072]); del self.out[:k]; lastprog = time.time()
                except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError): pass
                except OSError: self.closed = True; self.drain(); self.out.clear()
            if r: self.recv()
            if self.out and time.time() - lastprog > 1.5: self.stalled = True; return False

    def drain(self):
        for _ in range(50):
            n = len(self.inb)
            try:
                d = self.s.recv(65536)
                if not d: break
                self.inb += d
            except OSError: break
        self.handle()

    def recv(self):
        for _ in range(16):
            try: d = self.s.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError): break
            except OSError: self.closed = True; break
            if not d: self.closed = True; break
            self.inb += d
        self.handle()

    def handle(self):
        if not self.raw0 and self.inb: self.raw0 = bytes(self.inb[:16])
        if self.raw0.startswith(b"HTTP/1."):
            m = re.match(rb"HTTP/1\.\d (\d+)", bytes(self.inb)); 
            if m: self.status[0] = int(m.group(1))
            return
        while len(self.inb) >= 9:
            n = int.from_bytes(self.inb[:3], "big")
            if len(self.inb) < 9 + n: break
            t, fl = self.inb[3], self.inb[4]; sid = int.from_bytes(self.inb[5:9], "big") & 0x7fffffff; p = bytes(self.inb[9:9 + n]); del self.inb[:9 + n]; self.cnt += 1
            if t == 4 and not fl & 1:
                for i in range(0, len(p) - 5, 6): self.settings[int.from_bytes(p[i:i + 2], "big")] = int.from_bytes(p[i + 2:i + 6], "big")
                self.out += frame(4, 1, 0)
            elif t == 6 and not fl & 1: self.out += frame(6, 1, 0, p)
            elif t == 7:
                c = int.from_bytes(p[4:8], "big")
                self.goaway = ERR[c] if c < len(ERR) else str(c)
            elif t == 3:
                c = int.from_bytes(p, "big"); self.rst[sid] = ERR[c] if c < len(ERR) else str(c)
            elif t == 8 and sid == 0: self.peerwin += int.from_bytes(p, "big")
            elif t == 8: self.peerstream = getattr(self, "peerstream", {}); self.peerstream[sid] = self.peerstream.get(sid, 0) + int.from_bytes(p, "big")
            elif t in (1, 9):
                if t == 1:
                    if fl & 8: p = p[1:len(p) - p[0]]
                    if fl & 32: p = p[5:]
                    self.frag[sid] = (p, fl & 1)
                else: self.frag[sid] = (self.frag[sid][0] + p, self.frag[sid][1])
                if fl & 4:
                    b, es = self.frag.pop(sid)
                    try: hs = self.dec.decode(b)
                    except Exception: hs = []
                    st = [int(v) for k, v in hs if k == ":status" and v.isdigit()]
                    if st and st[0] >= 200 and sid not in self.status: self.status[sid] = st[0]; self.hdrs[sid] = hs
                    if es: self.ended.add(sid)
            elif t == 0:
                d = p[1:len(p) - p[0]] if fl & 8 else p
                if len(self.body.get(sid, b"")) < 100000: self.body[sid] = self.body.get(sid, b"") + d
                if fl & 1: self.ended.add(sid)
                if n and self.autowu: self.out += frame(8, 0, 0, n.to_bytes(4, "big")) + frame(8, 0, sid, n.to_bytes(4, "big"))

    def hello(self): self.out += b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
    def close(self, rst=False):
        try:
            if rst: self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.s.close()
        except OSError: pass


def enc(op, add=0):
    k = op["op"]; sid = op.get("sid", 0)
    if sid: sid += add
    if k == "headers":
        b = base64.b64decode(op["block"]) if "block" in op else b"".join(lit(n, v) for n, v in op["h"])
        fl = (1 if op.get("es", True) else 0)
        eh = op.get("eh", True)
        if op.get("prio"): b = struct.pack(">IB", op["prio"] + 0, 15) + b; fl |= 32
        if op.get("whole") or len(b) <= 16384: return frame(1, fl | (4 if eh else 0), sid, b)
        parts = [b[i:i + 16384] for i in range(0, len(b), 16384)]
        o = frame(1, fl, sid, parts[0])
        for i, p in enumerate(parts[1:]): o += frame(9, 4 if eh and i == len(parts) - 2 else 0, sid, p)
        return o
    if k == "data":
        p = op["text"].encode("latin-1") if "text" in op else b"d" * op.get("len", 0)
        return frame(0, 1 if op.get("es") else 0, sid, p)
    if k == "frame": return frame(op["type"], op["flags"], sid, base64.b64decode(op["b64"]), op.get("declen"))
    if k == "raw": return base64.b64decode(op["b64"])
    raise ValueError(k)


def run_ops(c, ops, o, add=0, top=True):
    for op in ops:
        if c.closed: return
        k = op["op"]
        if k == "rep":
            for i in range(op["n"]):
                if c.closed or c.stalled: return
                run_ops(c, op["ops"], o, add + op["step"] * i, False)
                if len(c.out) > 65536: c.pump(8, lambda: len(c.out) < 16384)
        elif k == "sleep": c.pump(0.0 if op["ms"] < 5 else op["ms"] / 1000, None)
        elif k == "dribble":
            b = b"".join(enc(x) for x in op["ops"])
            for x in b: c.out.append(x); c.pump(0.05, lambda: not c.out); time.sleep(0.001)
        elif k == "upload":
            sent = 0; c.peerstream = getattr(c, "peerstream", {}); base = c.settings.get(4, 65535); end = time.time() + 3
            while sent < op["bytes"] and time.time() < end and not c.closed:
                room = min(base + c.peerstream.get(op["sid"], 0), c.peerwin) - sent
                if room < 1: c.pump(0.05); continue
                n = min(16384, room); c.out += frame(0, 0, op["sid"], b"u" * n); sent += n
                c.pump(1, lambda: len(c.out) < 65536)
            c.uploaded = sent
        elif k == "truncate":
            b = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + b"".join(enc(x) for x in op["ops"])
            for n in range(1, len(b)):
                x = Conn(o); x.out += b[:n]; x.pump(0.3, lambda: not x.out)
                if n % 3 == 0: x.close(True)
                else:
                    try: x.s.shutdown(socket.SHUT_WR)
                    except OSError: pass
                    x.pump(0.004); x.close()
        elif k == "churn":
            for _ in range(op["n"]):
                x = Conn(o); x.hello()
                for y in op["ops"]: x.out += enc(y)
                x.pump(0.2, lambda: not x.out); x.close(True)
        else:
            c.out += enc(op, add)
            if top and len(c.out) > 65536: c.pump(8, lambda: len(c.out) < 16384)


def memory(pid):
    try: return owned(pid) / 2**20 if pid else 0
    except OSError: return 0            # it has ended: the follow-up says so


def followup(o, n):
    try: c = Conn(o)
    except OSError as e: return "follow-up: cannot connect: %s" % e
    c.hello(); t = "/followup-%d" % n
    c.out += enc({"op": "headers", "sid": 1, "h": [[":method", "GET"], [":scheme", "http"], [":authority", "example.test"], [":path", t]]})
    c.pump(PATIENCE, lambda: c.closed or 1 in c.ended or 1 in c.rst or c.goaway)
    r = None
    if c.status.get(1) != 200: r = "follow-up failed: status %s rst %s goaway %s closed %s" % (c.status, c.rst, c.goaway, c.closed)
    elif c.body.get(1) != ("GET %s\n" % t).encode(): r = "follow-up poisoned: %r" % c.body.get(1, b"")[:60]
    c.close(); return r


def judge(case, any_, c, evs):
    heads = [e for e in evs if e["head"]]; done = [e for e in evs if e["complete"]]
    okalt = [a["ok"] for a in any_ if "ok" in a]
    why = []
    sids = {o["sid"] & 0x7fffffff for o in case["ops"] if o["op"] == "headers"} or {1}
    for a in any_:
        if "any" in a: return None
        if "goaway" in a and c.goaway and (a["goaway"] == "*" or c.goaway in a["goaway"]):
            if c.goaway != "NO_ERROR" or a["goaway"] == "*": break
        if "closed" in a and c.closed and not (c.goaway and any("goaway" in x and x["goaway"] != "*" for x in any_) and c.goaway == "NO_ERROR"): break
        if "rst" in a and c.rst and (a["rst"] == "*" or any(v in a["rst"] for v in c.rst.values())): break
        if "status" in a and any(v in a["status"] for v in c.status.values()): break
        if "ok" in a:
            k = a["ok"]; sid = k.get("sid", 1)
            if c.status.get(sid, c.status.get(max(c.status), 0) if c.status else 0) != 200: why.append("no 200"); continue
            e = [x for x in done if "target" not in k or h1.origin_form(x["target"]) == k["target"]]
            if not e: why.append("upstream saw %s" % [x.get("target") for x in evs]); continue
            e = e[0]; hd = {}
            for n, v in e["headers"]: hd[n] = hd[n] + ", " + v if n in hd else v
            if "body" in k and e["body"].decode("latin-1") != k["body"]: why.append("body %r" % e["body"][:40]); continue
            if "host" in k and hd.get("host") != k["host"]: why.append("host %r" % hd.get("host")); continue
            bad = [n for n, v in (k.get("hdr") or {}).items() if hd.get(n) != v]
            if bad: why.append("header %s=%r" % (bad[0], hd.get(bad[0]))); continue
            return None
    else:
        return "got goaway=%s closed=%s rst=%s status=%s %s" % (c.goaway, c.closed, dict(list(c.rst.items())[:4]), dict(list(c.status.items())[:4]), "; ".join(why))
    # a rejection: nothing may have been forwarded
    if case.get("no_upstream", True):
        bad = done if case.get("partial") else heads
        bad = [e for e in bad if not e["target"].startswith("/after")]
        if bad: return "rejected, but the upstream got %s %s" % (bad[0]["method"], bad[0]["target"][:60])
    return None


def main():
    ap = argparse.ArgumentParser(); here = os.path.dirname(os.path.abspath(__file__))
    ap.add_argument("--proxy", required=True); ap.add_argument("--upstream-port", type=int, default=19001)
    ap.add_argument("--cases", default=os.path.join(here, "open.jsonl")); ap.add_argument("--class", dest="cls"); ap.add_argument("--id")
    ap.add_argument("--strict", action="store_true"); ap.add_argument("--tls", action="store_true"); ap.add_argument("--pid", type=int); ap.add_argument("--json"); ap.add_argument("-v", action="store_true"); ap.add_argument("--no-xff", action="store_true")
    o = ap.parse_args(); h, p = o.proxy.rsplit(":", 1); o.addr = (h, int(p))
    cases = [json.loads(l) for l in open(o.cases)]
    cases = [c for c in cases if (not o.cls or c["class"] == o.cls) and (not o.id or c["id"] in o.id.split(","))]
    up = Up2(o.upstream_port); time.sleep(0.05); res = []; np = nf = 0; by = {}; fn = 0
    for case in cases:
        fn += 1; any_ = case["strict"] if o.strict and "strict" in case else case["any"]; flood = case["class"] == "flood"
        seq = up.begin({"when": "head"} if case["id"] == "fl-upload-noread" else None); Up2.peak = 0; Up2.most = case.get("upstream_active_max"); r0 = memory(o.pid); t0 = time.time(); why = None; peak = r0; c = None
        try:
            c = Conn(o)
            if not case.get("nopreface"): c.hello(); c.pump(PATIENCE, lambda: c.settings or c.closed)
            c.noread = case.get("noread", False); c.autowu = not flood
            run_ops(c, case["ops"], o)
            c.pump(6, lambda: not c.out)
            want = [x["ok"].get("sid", 1) for x in any_ if "ok" in x]
            sids = {op["sid"] & 0x7fffffff for op in case["ops"] if op["op"] == "headers"} or {1}
            def settled():
                if c.closed or c.goaway: return True
                return bool(c.rst) or (not flood and sids <= (c.ended | set(c.rst)) and bool(sids)) or 0 in c.status
            wait = 0.4 if flood else 5
            if not case.get("noread"): c.pump(wait, settled)
            if (c.goaway or c.rst) and not c.closed and not c.noread: c.pump(0.15)
            if case.get("settle_ms"):
                e = time.time() + case["settle_ms"] / 1000
                while time.time() < e: c.pump(0.1) if not c.noread else time.sleep(0.1); peak = max(peak, memory(o.pid)); 
            if c.noread: c.noread = False; c.pump(0.3)
        except OSError as e:
            if not c: why = "cannot connect: %s" % e
            else: c.closed = True
        peak = max(peak, memory(o.pid)); dt = time.time() - t0
        ferr = followup(o, fn)
        if c: c.close(flood)
        time.sleep(0.05)
        evs = [e for e in up.take(seq) if not e.get("target", "").startswith("/followup")]
        anoms = [a for e in evs for a in e["anom"]]
        noxff = [e for e in evs if e["head"] and not any(k == "x-forwarded-for" for k, _ in e["headers"])]
        smug = [e for e in evs if "smuggled" in e.get("target", "") or any("smuggled" in k for k, _ in e.get("headers", []))]
        if not why and ferr: why = ferr
        if not why and anoms: why = "forwarded an anomaly: %s" % "; ".join(anoms[:2])
        if not why and smug: why = "SMUGGLED: %s %s" % (smug[0]["target"], smug[0]["headers"])
        if not why and not o.no_xff and noxff: why = "request without the proxy's X-Forwarded-For: %s" % noxff[0]["target"][:40]
        skip = case.get("default_frame_only") and c and c.settings.get(5, 16384) > 16384      # the proxy advertises larger frames: legal
        if not why and not skip: why = judge(case, any_, c, evs)
        nup = len([e for e in evs if e["head"]])
        if not why and case.get("upstream_max") and nup > case["upstream_max"]: why = "upstream saw %d requests (limit %d), goaway=%s" % (nup, case["upstream_max"], c.goaway)
        if not why and case.get("upstream_active_max") and Up2.peak > case["upstream_active_max"]: why = "%d concurrent upstream requests (limit %d), goaway=%s" % (Up2.peak, case["upstream_active_max"], c.goaway)
        if not why and o.pid and case.get("rss_mb") and peak - r0 > case["rss_mb"]: why = "its memory grew by %.0f MB (limit %d)" % (peak - r0, case["rss_mb"])
        ok = not why; np += ok; nf += not ok; b = by.setdefault(case["class"], [0, 0]); b[0 if ok else 1] += 1
        info = "goaway=%s closed=%s stalled=%s rst=%d status=%d up=%d active=%d memory=+%.0f %.1fs" % (c and c.goaway, c and c.closed, c and c.stalled, len(c.rst) if c else 0, len(c.status) if c else 0, nup, Up2.peak, peak - r0, dt)
        res.append({"id": case["id"], "class": case["class"], "set": case["set"], "ok": ok, "why": why, "info": info})
        if o.v or not ok: print("%s %-26s %s   [%s]" % ("PASS" if ok else "FAIL", case["id"], (why or "")[:200], info), flush=True)
        e = time.time() + 4
        while Up2.held and time.time() < e and flood: time.sleep(0.05)
    for k in sorted(by): print("  %-12s %d passed, %d failed" % (k, *by[k]))
    print("%d passed, %d failed" % (np, nf))
    if o.json: json.dump(res, open(o.json, "w"), indent=0)
    sys.exit(1 if nf else 0)


if __name__ == "__main__": main()
