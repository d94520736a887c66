"""The proxy in front of the programs here: one listener of plain text and one of TLS, both with every version of HTTP."""
import http.server
import threading

from rig import HCM, ROUTER, TYPE, Proxy, address
from pki import Pki  # noqa: F401  (a CA and its certificates; "server" is for server.test and 127.0.0.1)

NO_TIMEOUT = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}


def cluster(port, http2=False):
    made = {"name": "origin", "connect_timeout": "2s", "load_assignment": {
        "cluster_name": "origin", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}}
    if http2:
        made["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": TYPE + "upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}
    return made


def filter_of(name, message, **fields):
    return {"name": name, "typed_config": {"@type": TYPE + "filters.http." + message, **fields}}


def tls(pki):
    files = {"certificate_chain": {"filename": pki.path("server.pem")}, "private_key": {"filename": pki.path("server.key")}}
    return {"name": "tls", "typed_config": {"@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": {
        "alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [files]}}}


class Edge(Proxy):
    """`clear` and `secure` are its ports."""

    def __init__(self, binary, ports, folder, pki, origin, http2=False, filters=(), hcm=None):
        self.clear, self.secure, self.pki = ports(), ports(), pki
        listeners = []
        for name, port, socket in (("clear", self.clear, None), ("secure", self.secure, tls(pki))):
            manager = {"@type": HCM, "stat_prefix": name, "http_filters": [*filters, ROUTER],
                       "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [NO_TIMEOUT]}]}, **(hcm or {})}
            chain = {"filters": [{"name": "hcm", "typed_config": manager}]}
            if socket:
                chain["transport_socket"] = socket
            listeners.append({"name": name, "address": address(port), "filter_chains": [chain]})
        super().__init__(binary, ports, folder, bootstrap={"static_resources": {
            "listeners": listeners, "clusters": [cluster(origin, http2)]}})


class Origin(http.server.ThreadingHTTPServer):
    """HTTP/1.1: sends a body back, a GET gets a text; "/big" gets MIB."""
    daemon_threads = True
    request_queue_size = 512
    TEXT = b"an answer that is longer than the windows of some tests\n" * 8
    MIB = bytes(range(256)) * 4096

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def body(self):
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            out = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                out += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return out

        def answer(self):
            sent = self.body()
            out = sent if self.command in ("POST", "PUT") else Origin.MIB if self.path == "/big" else Origin.TEXT
            self.send_response(200)
            self.send_header("content-type", "application/octet-stream")
            self.send_header("content-length", str(len(out)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(out)

        do_GET = do_HEAD = do_POST = do_PUT = answer

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass

    def end(self):
        self.shutdown()
        self.server_close()
