"""Collectors of access logs: gRPC's AccessLogService and OpenTelemetry's LogsService, the second also over HTTP/1."""
import os
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # proxies are started by fork, and its handlers would break their descriptors

import grpc
from envoy.service.accesslog.v3 import als_pb2
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

import envoy.config.core.v3.base_pb2  # noqa: F401  (known to json_format, for what is in an Any)
from google.protobuf import wrappers_pb2  # noqa: F401


def as_dict(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


class Collectors:
    """Every message that came, parsed: of streams (`streams`, one list for each), and of exports with their metadata."""

    def __init__(self, port=0):
        self.streams, self.exports, self.posts = [], [], []
        self.server = grpc.server(futures.ThreadPoolExecutor(16))
        self.server.add_generic_rpc_handlers((
            grpc.method_handlers_generic_handler("envoy.service.accesslog.v3.AccessLogService", {
                "StreamAccessLogs": grpc.stream_unary_rpc_method_handler(
                    self.stream, als_pb2.StreamAccessLogsMessage.FromString, als_pb2.StreamAccessLogsResponse.SerializeToString)}),
            grpc.method_handlers_generic_handler("opentelemetry.proto.collector.logs.v1.LogsService", {
                "Export": grpc.unary_unary_rpc_method_handler(
                    self.export, logs_service_pb2.ExportLogsServiceRequest.FromString,
                    logs_service_pb2.ExportLogsServiceResponse.SerializeToString)})))
        self.port = self.server.add_insecure_port("127.0.0.1:%d" % port)
        self.server.start()
        collectors = self

        class Posted(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = b""
                if "chunked" in self.headers.get("transfer-encoding", ""):
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["content-length"]))
                message = logs_service_pb2.ExportLogsServiceRequest.FromString(body)
                collectors.posts.append((self.path, dict(self.headers), message))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Posted)
        self.http_port = self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stream(self, messages, call):
        mine = []
        self.streams.append(mine)
        try:
            for message in messages:
                mine.append(message)
        except grpc.RpcError:
            pass
        return als_pb2.StreamAccessLogsResponse()

    def export(self, message, call):
        self.exports.append((dict(call.invocation_metadata()), message))
        return logs_service_pb2.ExportLogsServiceResponse()

    def entries(self, log_name):
        """Of the streams whose identifier has that name, in their order."""
        out = []
        for stream in list(self.streams):
            if stream and stream[0].identifier.log_name == log_name:
                for message in list(stream):
                    out += list(message.http_logs.log_entry) + list(message.tcp_logs.log_entry)
        return out

    def end(self):
        self.server.stop(0)
        self.http.shutdown()
        self.http.server_close()
