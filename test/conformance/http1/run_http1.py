#!/usr/bin/env python3
"""Runs the HTTP/1.x bad-input corpus against a proxy (stdlib only).

  run_http1.py --proxy 127.0.0.1:8080 [--upstream-port 19001] [--cases open.jsonl]
               [--set open|held|all] [--class C] [--id ID] [--strict] [--json out.json] [-v]

The proxy under test must route every host and path to http://127.0.0.1:<upstream-port> (HTTP/1.1, keep-alive
pool), with retries off, no rewrites, Host preserved, X-Forwarded-For added (the recorder uses its presence to tell a
request the proxy really parsed from bytes that slipped through a tunnel; --no-xff switches that off), WebSocket
upgrades either enabled or refused, request header timeout >= 3 s, upstream timeout >= 5 s, no passive ejection.

This program starts the recording upstream itself: a strict HTTP/1.1 parser that flags every anomaly in what the proxy
forwards (LF, CR, NUL, obs-fold, TE+CL, bad names, two Hosts, fragments, ...): any anomaly fails the case.
--strict scores against a case's "strict" expectation (Envoy-like: reject what may be rejected) where it has one.
After every case a follow-up GET on a fresh connection must get its own answer (liveness + response poisoning).
"""
import argparse, base64, hashlib, json, os, re, select, socket, struct, sys, threading, time

TOKEN = re.compile(rb"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
REQLINE = re.compile(rb"^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])$")
HOSTRE = re.compile(rb"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%\x80-\xff]*)(:[0-9]*)?$")
CHSIZE = re.compile(rb"^([0-9A-Fa-f]{1,16})((?:[ \t]*;[^\x00\r\n]*)?)$")


# ------------------------------------------------------------------------------------------ upstream
class Up:
    def __init__(self, port):
        self.lock = threading.Lock()
        self.seq = 0
        self.spec = None
        self.events = []           # parsed request records
        self.s = socket.socket()
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.bind(("127.0.0.1", port)); self.s.listen(512)
        self.nconn = 0
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            c, _ = self.s.accept()
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.nconn += 1
            threading.Thread(target=self.guard, args=(c, self.nconn), daemon=True).start()

    def guard(self, c, cid):
        try: self.conn(c, cid)
        except OSError: pass
        finally:
            try: c.close()
            except OSError: pass

    def begin(self, spec):
        with self.lock:
            self.seq += 1; self.spec = spec; self.events = []
        return self.seq

    def take(self, seq):
        with self.lock: return [e for e in self.events if e["seq"] == seq]

    def conn(self, c, cid):
        buf = bytearray(); served = 0
        def more():
            d = c.recv(65536)
            if not d: return False
            buf.extend(d); return True
        while True:
            while not buf:
                if not more(): return
            ev = {"seq": self.seq, "conn": cid, "idx": served, "anom": [], "complete": False, "raw": b"", "head": False, "body": b"", "t": time.time()}
            with self.lock: self.events.append(ev)
            spec = self.spec
            # --- head
            while b"\r\n\r\n" not in buf and b"\n\n" not in buf and b"\n\r\n" not in buf:
                ev["raw"] = bytes(buf[:4096])
                if len(buf) > 4 << 20: ev["anom"].append("head over 4MB"); return
                if not more(): return
            ends = [i for i in (buf.find(b"\r\n\r\n"), buf.find(b"\n\n"), buf.find(b"\n\r\n")) if i >= 0]
            i = min(ends)
            end = i + 4 if buf[i:i + 4] == b"\r\n\r\n" else (i + 2 if buf[i:i + 2] == b"\n\n" else i + 3)
            head = bytes(buf[:end]); del buf[:end]
            ev["raw"] = head[:4096]
            te, cl, ok = self.parse_head(head, ev)
            ev["head"] = True
            if not ok: return
            follow = ev["target"].startswith("/followup")
            h = ev["headers"]
            if not follow and spec and spec.get("when") == "head":
                self.reply(c, spec, ev, cid)
                if spec.get("then") in ("close", "rst"): return
                replied = True
            else:
                replied = False
                if any(k == "expect" and "100-continue" in v.lower() for k, v in h):
                    c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            # --- body
            body = bytearray()
            def need(n):
                while len(buf) < n:
                    if not more(): return False
                return True
            def line():
                while True:
                    k = buf.find(b"\n")
                    if k >= 0:
                        l = bytes(buf[:k + 1]); del buf[:k + 1]
                        if not l.endswith(b"\r\n"): ev["anom"].append("bare LF in chunk framing")
                        return l.rstrip(b"\r\n") if l.endswith(b"\r\n") else l[:-1]
                    if len(buf) > 1 << 20: ev["anom"].append("chunk line over 1MB"); return None
                    if not more(): return None
            if te:
                while True:
                    l = line()
                    if l is None: return
                    m = CHSIZE.match(l)
                    if not m: ev["anom"].append("bad chunk size %r" % l[:40]); return
                    n = int(m.group(1), 16)
                    if n == 0: break
                    if n > 1 << 31: ev["anom"].append("huge chunk %r" % l[:40]); return
                    if not need(n + 2): return
                    body += buf[:n]
                    if buf[n:n + 2] != b"\r\n": ev["anom"].append("chunk data not followed by CRLF"); return
                    del buf[:n + 2]
                while True:
                    l = line()
                    if l is None: return
                    if not l: break
                    nm, sep, v = l.partition(b":")
                    if not sep or not TOKEN.match(nm) or b"\x00" in v or b"\r" in v: ev["anom"].append("bad trailer line %r" % l[:60])
                    elif nm.lower() in (b"content-length", b"transfer-encoding", b"host"): ev["anom"].append("forbidden trailer forwarded: %r" % nm)
            elif cl:
                if cl > 1 << 31:
                    while more(): buf.clear()
                    return
                if not need(cl): ev["body"] = bytes(buf); return
                body += buf[:cl]; del buf[:cl]
            ev["body"] = bytes(body); ev["complete"] = True
            served += 1
            if not replied:
                if follow or not spec:
                    self.default(c, ev, cid)
                else:
                    if self.reply(c, spec, ev, cid): return
            if spec and not follow and spec.get("late_b64"):
                time.sleep(0.08)
                c.sendall(base64.b64decode(spec["late_b64"]))

    def parse_head(self, head, ev):
        a = ev["anom"]; ok = True
        lines = head.split(b"\n")
        for l in lines[:-1]:
            if not l.endswith(b"\r"): a.append("bare LF in head")
        lines = [l[:-1] if l.endswith(b"\r") else l for l in lines]
        m = REQLINE.match(lines[0])
        if not m:
            a.append("bad request-line %r" % lines[0][:80]); ev["target"] = ""; ev["method"] = ""; ev["headers"] = []
            return None, None, False
        ev["method"] = m.group(1).decode(); ev["target"] = m.group(2).decode("latin-1"); v = m.group(3)
        if "#" in ev["target"]: a.append("fragment in target")
        hs = []
        for l in lines[1:]:
            if not l: continue
            if l[:1] in b" \t": a.append("obs-fold %r" % l[:40]); continue
            n, sep, val = l.partition(b":")
            if not sep: a.append("no colon %r" % l[:40]); continue
            if not TOKEN.match(n): a.append("bad header name %r" % n[:60])
            val = val.strip(b" \t")
            if b"\x00" in val: a.append("NUL in value of %r" % n[:40])
            if b"\r" in val: a.append("CR in value of %r" % n[:40])
            hs.append((n.decode("latin-1").lower(), val.decode("latin-1")))
        ev["headers"] = hs
        cls_ = [x for k, x in hs if k == "content-length"]; tes = [x for k, x in hs if k == "transfer-encoding"]
        hosts = [x for k, x in hs if k == "host"]
        if len(cls_) > 1: a.append("several Content-Length"); ok = False
        if cls_ and not re.match(r"^[0-9]+$", cls_[0]): a.append("bad Content-Length %r" % cls_[0]); ok = False
        if cls_ and tes: a.append("Transfer-Encoding and Content-Length"); ok = False
        if len(tes) > 1: a.append("several Transfer-Encoding")
        if tes and tes[0].lower() != "chunked": a.append("te:" + tes[0]); ok = ok and tes[-1].lower().endswith("chunked")
        if tes and v == b"0": a.append("Transfer-Encoding in HTTP/1.0")
        if v == b"1" and not hosts: a.append("no-host")
        if len(hosts) > 1: a.append("several Host")
        if hosts and not HOSTRE.match(hosts[0].encode("latin-1")): a.append("bad Host %r" % hosts[0][:60])
        return bool(tes), (int(cls_[0]) if cls_ and not tes and re.match(r"^[0-9]+$", cls_[0]) else None), ok

    def default(self, c, ev, cid):
        body = ("%s %s\n" % (ev["method"], ev["target"])).encode("latin-1")
        h = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Up-Conn: %d\r\nContent-Length: %d\r\n\r\n" % (cid, len(body))
        c.sendall(h + (b"" if ev["method"] == "HEAD" else body))

    def reply(self, c, spec, ev, cid):
        if "segs" in spec:
            for s in spec["segs"]:
                if s.get("delay_ms"): time.sleep(s["delay_ms"] / 1000)
                d = base64.b64decode(s["b64"])
                n = s.get("times", 1)
                c.sendall(d * n) if len(d) * n <= 1 << 16 else [c.sendall(d * min(64, n - k)) for k in range(0, n, 64)]
        elif "b64" in spec:
            c.sendall(base64.b64decode(spec["b64"]))
        t = spec.get("then", "keep")
        if t == "rst":
            time.sleep(0.03)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); c.close(); return True
        if t == "close":
            try:
                c.shutdown(socket.SHUT_WR)
                c.settimeout(0.5)
                end = time.time() + 0.5
                while time.time() < end and c.recv(65536): pass
            except OSError: pass
            c.close(); return True
        return False


# ------------------------------------------------------------------------------------------ client
class Resp:
    def __init__(self): self.status = None; self.headers = []; self.body = b""; self.complete = False; self.interim = []; self.anom = []; self.framing = ""
    def __repr__(self): return "%s%s(%d)" % (self.status, "" if self.complete else "!", len(self.body))


def parse_responses(data, methods, eof):
    """-> (list of Resp, leftover bytes)"""
    out = []; i = 0; interim = []
    while i < len(data):
        if data[i:i + 3] == b"\x00\x00\x12" or (data[i + 3:i + 4] == b"\x04" and data[i:i + 2] == b"\x00\x00"):
            r = Resp(); r.status = "h2"; r.complete = True; out.append(r); return out, b""
        k = data.find(b"\r\n\r\n", i)
        if k < 0: break
        head = data[i:k]; lines = head.split(b"\r\n"); r = Resp(); r.interim = interim
        m = re.match(rb"^HTTP/1\.([01]) (\d{3})(?: (.*))?$", lines[0], re.S)
        if not m: r.anom.append("bad status line %r" % lines[0][:60]); out.append(r); return out, data[i:]
        r.status = int(m.group(2))
        if m.group(3) and re.search(rb"[\x00\r\n]", m.group(3)): r.anom.append("CTL in reason")
        for l in lines[1:]:
            n, sep, v = l.partition(b":")
            if not sep or not TOKEN.match(n) or re.search(rb"[\x00\r\n]", v): r.anom.append("bad header line %r" % l[:60])
            r.headers.append((n.decode("latin-1").lower(), v.strip(b" \t").decode("latin-1")))
        i = k + 4
        if 100 <= r.status < 200 and r.status != 101:
            interim = interim + [r.status]; continue
        interim = []
        meth = methods[len(out)] if len(out) < len(methods) else "GET"
        te = [v for n, v in r.headers if n == "transfer-encoding"]; cl = [v for n, v in r.headers if n == "content-length"]
        if te and cl: r.anom.append("TE and CL in response")
        if len(set(cl)) > 1: r.anom.append("several CL in response")
        out.append(r)
        if r.status == 101: r.body = data[i:]; r.complete = True; r.framing = "tunnel"; return out, b""
        if meth == "HEAD" or r.status in (204, 304): r.complete = True; r.framing = "none"; continue
        if te:
            r.framing = "chunked"; ok = False
            while True:
                e = data.find(b"\r\n", i)
                if e < 0: break
                mm = CHSIZE.match(data[i:e])
                if not mm: r.anom.append("bad chunk to client"); break
                n = int(mm.group(1), 16)
                if n == 0:
                    t = data.find(b"\r\n\r\n", e)
                    if t >= 0: i = t + 4; ok = True
                    break
                if len(data) < e + 2 + n + 2: r.body += data[e + 2:e + 2 + n]; break
                r.body += data[e + 2:e + 2 + n]; i = e + 2 + n + 2
            r.complete = ok
            if not ok: return out, b""
        elif cl:
            r.framing = "cl"
            try: n = int(cl[0])
            except ValueError: r.anom.append("bad CL to client"); return out, b""
            r.body = data[i:i + n]; r.complete = len(r.body) == n; i += n
        else:
            r.framing = "close"; r.body = data[i:]; r.complete = eof == "fin"; return out, b""
    return out, data[i:]


def ready(r, w, x, t):
    """select() without its limit of 1024 descriptors; seconds."""
    p = select.poll(); by = {}
    for s, ev in [(s, select.POLLIN) for s in r] + [(s, select.POLLOUT) for s in w]:
        by.setdefault(s.fileno(), [s, 0])[1] |= ev
    for fd, (s, ev) in by.items(): p.register(fd, ev)
    got = p.poll(int(t * 1000)) if t is not None else p.poll()
    bad = select.POLLERR | select.POLLHUP
    return [by[f][0] for f, e in got if by[f][1] & select.POLLIN and e & (select.POLLIN | bad)], [by[f][0] for f, e in got if by[f][1] & select.POLLOUT and e & (select.POLLOUT | bad)], []


def talk(addr, case, timeout, expect_n):
    methods = case.get("methods") or ["GET"]
    plan = []
    for s in case["send"]:
        d = base64.b64decode(s["b64"])
        plan.append((s.get("delay_ms", 0) / 1000, s.get("wait"), d, s.get("times", 1)))
    try: c = socket.create_connection(addr, timeout=3)
    except OSError as e: return b"", "refused", str(e)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); c.setblocking(False)
    data = bytearray(); eof = None; out = b""; pi = 0; t0 = time.time(); last = t0; due = None; sent_done = None; shut = False
    hard = t0 + timeout * 4 + 3; wait_since = None
    while True:
        now = time.time()
        while not out and pi < len(plan):
            dl, wt, d, n = plan[pi]
            if wt == "100":
                if wait_since is None: wait_since = now
                if b"HTTP/1." not in data and now - wait_since < 0.5: break
                wait_since = None
                rs, _ = parse_responses(bytes(data), methods, eof)
                if rs: pi += 1; continue          # a final status came: do not send the body
            elif dl:
                if due is None: due = now + dl
                if now < due: break
                due = None
            out = d * n; pi += 1
            last = now
        if pi >= len(plan) and not out and sent_done is None:
            sent_done = now; last = now
        if sent_done is not None and case.get("shutdown_wr") and not shut:
            shut = True
            try: c.shutdown(socket.SHUT_WR)
            except OSError: pass
        nresp = len([r for r in parse_responses(bytes(data), methods, eof)[0] if r.complete]) if data and len(data) < 100000 else (1 if data else 0)
        if eof: break
        if now > hard: break
        if sent_done is not None:
            idle = now - max(last, sent_done)
            if nresp >= expect_n and idle > 0.12: break
            if nresp and idle > 0.35 and nresp < expect_n and idle > timeout: break
            if not nresp and idle > timeout: break
        elif now - last > timeout + 1: break
        rl, wl, _ = ready([c], [c] if out else [], [], 0.004 if (due or wait_since) else 0.03)
        if wl and out:
            try: k = c.send(out[:262144]); out = out[k:]; last = time.time()
            except BlockingIOError: pass
            except OSError: out = b""; pi = len(plan)
        if rl:
            try:
                d = c.recv(262144)
                if not d: eof = "fin"
                else: data.extend(d); last = time.time()
            except BlockingIOError: pass
            except OSError: eof = "rst"
    if not eof:                       # does the proxy close soon? (rejections must; one that announced it may linger)
        c.setblocking(True); c.settimeout(2.5 if b"connection: close" in bytes(data).lower() else 0.25)
        try:
            while not eof:
                d = c.recv(262144)
                if not d: eof = "fin"
                else: data.extend(d)
        except socket.timeout: pass
        except OSError: eof = "rst"
    return bytes(data), eof, c


# ------------------------------------------------------------------------------------------ verdicts
def body_ok(spec, body):
    if "body_b64" in spec: return base64.b64decode(spec["body_b64"]) == body
    if "body_sha256" in spec: return spec["body_sha256"] == hashlib.sha256(body).hexdigest()
    return True


def origin_form(t):
    m = re.match(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*(.*)$", t, re.S)
    if not m: return t
    return m.group(1) if m.group(1).startswith("/") else "/" + m.group(1)


class Judge:
    def __init__(self, case, evs, resps, left, eof, opts):
        self.c, self.evs, self.resps, self.left, self.eof, self.o = case, evs, resps, left, eof, opts
        self.done = [e for e in evs if e["complete"]]
        self.note = ""

    def alt(self, a):
        if "either" in a:
            why = []
            for x in a["either"]:
                w = self.alt(x)
                if w is None: return None
                why.append(w)
            return " | ".join(why)
        if "reject" in a: return self.reject(a)
        if "accept" in a: return self.accept(a["accept"])
        if "pending" in a:
            if self.done: return "complete request reached the upstream: %s" % self.done[0]["target"]
            bad = [r for r in self.resps if r.status not in a["status_ok"]]
            return "unexpected response %s" % bad if bad else None
        if "client_gone_ok" in a: return None if not self.resps or self.resps[0].status in (200, 499, 400) else "status"
        if "final" in a:
            if len(self.done) > a.get("max_complete", 9): return "too many complete requests upstream"
            return None if self.resps and self.resps[0].status in a["final"] else "client got %s" % self.resps
        if "client" in a: return self.client(a["client"])
        return "unknown expectation"

    def reject(self, a):
        if a.get("h2_ok") and self.resps and self.resps[0].status == "h2": return None if not self.evs else "reached the upstream"
        if self.done: return "reached the upstream (%s %s)" % (self.done[0]["method"], self.done[0]["target"][:40])
        if not a.get("partial") and any(e["head"] for e in self.evs): return "request head reached the upstream"
        if not self.resps:
            if not self.eof: return "neither a response nor a close"
            if self.o.strict and not a.get("close_ok"): return "closed without a response"
            self.note = "closed without a response"; return None
        if len(self.resps) > 1: return "bytes after the rejected request were processed: %s" % self.resps
        if self.resps[0].status not in a["reject"]: return "status %s not in %s" % (self.resps[0].status, a["reject"])
        if a.get("must_close") and not self.eof: return "connection not closed after the rejection"
        return None

    def accept(self, a):
        n = a["count"]; reqs = a["reqs"]
        if self.resps and self.resps[0].status == "h2": return "h2"
        if len(self.done) != n: return "upstream saw %d complete requests (want %d); client %s" % (len(self.done), n, self.resps)
        for s, e in zip(reqs, self.done):
            t = origin_form(e["target"])
            if "target" in s and s["target"] not in (t, e["target"]): return "target %r" % e["target"][:60]
            if "target_in" in s and t not in s["target_in"]: return "target %r" % e["target"][:60]
            if "method" in s and e["method"] != s["method"]: return "method %r" % e["method"]
            if not body_ok(s, e["body"]): return "upstream body differs (%d bytes)" % len(e["body"])
            hd = {}
            for k, v in e["headers"]: hd[k] = hd[k] + ", " + v if k in hd else v
            for k, v in (s.get("hdr") or {}).items():
                vs = v if isinstance(v, list) else [v]
                if hd.get(k) not in vs: return "header %s: %r" % (k, (hd.get(k) or "")[:60] if hd.get(k) is not None else None)
            for k in s.get("absent") or []:
                if "!" in k:
                    kk, vv = k.split("!")
                    if hd.get(kk) == vv: return "header %s: %s present" % (kk, vv)
                elif k in hd: return "header %s present" % k
        fin = self.resps
        if a.get("then_reject"):
            if len(fin) != n + 1 or fin[-1].status not in a["then_reject"]: return "client got %s" % fin
            fin = fin[:-1]
        if len(fin) != n and not self.c.get("shutdown_wr"): return "client got %d responses %s (want %d)" % (len(fin), fin, n)
        if any(r.status != 200 for r in fin): return "client got %s" % fin
        if a.get("must_close") and not self.eof: return "connection not closed"
        return None

    def client(self, a):
        if not self.resps:
            if a.get("truncated") and self.eof: return None
            return "no response"
        r = self.resps[0]
        if a.get("any") and "status" not in a: return None if not r.anom else str(r.anom)
        if "status" in a and r.status not in a["status"]: return "client status %s" % r.status
        if a.get("any"): return None
        if a.get("truncated"):
            if r.status >= 500: return None
            return "message looks complete to the client (%s, %d bytes)" % (r.framing, len(r.body)) if r.complete else None
        if a.get("complete") and not r.complete: return "response incomplete (%s %d bytes eof=%s)" % (r.framing, len(r.body), self.eof)
        if r.framing != "none" and not body_ok(a, r.body): return "client body differs: %r" % r.body[:40]
        if r.anom: return "anomaly to client: %s" % r.anom
        hd = {}
        for k, v in r.headers: hd.setdefault(k, []).append(v)
        for k in a.get("absent") or []:
            if k in hd: return "response header %s present" % k
        for k, v in (a.get("absent_val") or {}).items():
            if v in hd.get(k, []): return "response header %s: %s forwarded" % (k, v)
        for k, v in (a.get("multi") or {}).items():
            if hd.get(k) != v: return "response header %s: %s" % (k, hd.get(k))
        return None


def followup(addr, n):
    """GET on a fresh connection; -> (error or None, upstream connection id)"""
    p = "/followup-%d" % n
    try:
        c = socket.create_connection(addr, timeout=3); c.settimeout(3)
        c.sendall(b"GET %s HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n" % p.encode())
        d = b""
        while True:
            try: x = c.recv(65536)
            except socket.timeout: break
            if not x: break
            d += x
        c.close()
    except OSError as e: return "follow-up failed: %s" % e, None
    rs, _ = parse_responses(d, ["GET"], "fin")
    if not rs: return "follow-up: no response", None
    if rs[0].status != 200 or rs[0].body != ("GET %s\n" % p).encode(): return "follow-up poisoned/failed: %s %r" % (rs[0].status, rs[0].body[:60]), None
    ids = [v for k, v in rs[0].headers if k == "x-up-conn"]
    return None, int(ids[0]) if ids else None


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--proxy", required=True); ap.add_argument("--upstream-port", type=int, default=19001)
    here = os.path.dirname(os.path.abspath(__file__))
    ap.add_argument("--cases", default=os.path.join(here, "open.jsonl"))
    ap.add_argument("--set", default="all"); ap.add_argument("--class", dest="cls"); ap.add_argument("--id")
    ap.add_argument("--strict", action="store_true"); ap.add_argument("--no-xff", action="store_true")
    ap.add_argument("--timeout", type=float, default=1.0); ap.add_argument("--json"); ap.add_argument("-v", action="store_true"); ap.add_argument("-q", action="store_true")
    o = ap.parse_args()
    h, p = o.proxy.rsplit(":", 1); addr = (h, int(p))
    cases = [json.loads(l) for l in open(o.cases)]
    cases = [c for c in cases if (o.set == "all" or c["set"] == o.set) and (not o.cls or c["class"] == o.cls) and (not o.id or c["id"] in o.id.split(","))]
    up = Up(o.upstream_port); time.sleep(0.05)
    npass = nfail = 0; res = []; bycls = {}; fn = 0
    for c in cases:
        c.setdefault("methods", ["GET"] * c["nreq"])
        exp = c["strict"] if o.strict and "strict" in c else c["expect"]
        fn += 1
        seq = up.begin(c.get("upstream"))
        data, eof, sock = talk(addr, c, o.timeout, c["nreq"])
        if eof == "refused": why = "connection refused"; evs = []; rs = []; note = ""
        else:
            time.sleep(0.03)
            if c.get("upstream", {}).get("late_b64"): time.sleep(0.15)
            sock.close() if hasattr(sock, "close") else None
            evs = up.take(seq); rs, left = parse_responses(data, c["methods"], eof)
            evs = [e for e in evs if not e.get("target", "").startswith("/followup")]
            j = Judge(c, evs, rs, left, eof, o); note = ""
            anoms = []
            okte = ["te:" + t for t in _allow(exp)] + c.get("allow_anomaly", [])
            for e in evs: anoms += [a for a in e["anom"] if a not in okte]
            why = None
            if anoms: why = "forwarded an anomaly: " + "; ".join(anoms[:3])
            noxff = [e for e in evs if e["head"] and not any(k == "x-forwarded-for" for k, _ in e["headers"])]
            if not why and not o.no_xff and noxff: why = "request reached the upstream without the proxy's X-Forwarded-For: %s" % noxff[0]["target"][:40]
            if not why: why = j.alt(exp); note = j.note
            if not why and left and rs and rs[-1].complete and not (exp.get("client") or {}).get("any"): why = "stray bytes to the client: %r" % left[:40]
            if not why and c.get("max_upstream_requests") and len([e for e in evs if e["head"]]) > c["max_upstream_requests"]: why = "request was sent upstream %d times" % len(evs)
        ferr, fconn = followup(addr, fn)
        if not why and ferr: why = ferr
        if not why and c.get("no_reuse") and fconn is not None and any(e["conn"] == fconn for e in evs): why = "upstream connection reused after a broken response"
        ok = not why
        npass += ok; nfail += not ok
        b = bycls.setdefault(c["class"], [0, 0]); b[0 if ok else 1] += 1
        res.append({"id": c["id"], "class": c["class"], "set": c["set"], "ok": ok, "why": why or note, "client": str(rs), "upstream": [(e.get("method"), e.get("target", "")[:80], e["complete"]) for e in evs]})
        if o.v or (not ok and not o.q): print("%s %-28s %s%s" % ("PASS" if ok else "FAIL", c["id"], (why or note)[:220], ("   client=%s up=%d" % (rs[:6], len(evs))) if not ok else ""), flush=True)
    for k in sorted(bycls): print("  %-18s %d passed, %d failed" % (k, *bycls[k]))
    print("%d passed, %d failed" % (npass, nfail))
    if o.json: json.dump(res, open(o.json, "w"), indent=0)
    sys.exit(1 if nfail else 0)


def _allow(exp):
    r = []
    for a in exp.get("either", [exp]):
        r += (a.get("accept") or {}).get("allow_te", [])
    return r


if __name__ == "__main__": main()
