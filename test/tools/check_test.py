"""sluice check: each risky setting is told with its rule and place, a careful configuration has none, and the three forms of the
report say the same."""
import copy
import json
import re
import subprocess

import pytest

TYPE = "type.googleapis.com/envoy.extensions."
HCM = TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager"
SAFE_TLS = {"@type": TYPE + "transport_sockets.tls.v3.UpstreamTlsContext", "sni": "a.test", "common_tls_context": {"validation_context": {
    "system_root_certs": {}, "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "a.test"}}]}}}


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def endpoints(n):
    return {"cluster_name": "a", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(81 + i)}} for i in range(n)]}]}


def safe(pki):
    """An edge without a risk."""
    manager = {"@type": HCM, "stat_prefix": "h", "use_remote_address": True, "request_headers_timeout": "10s", "normalize_path": True,
               "merge_slashes": True, "stream_idle_timeout": "300s",
               "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST", "idle_timeout": "900s"},
               "http2_protocol_options": {"max_concurrent_streams": 100, "initial_stream_window_size": 65536, "initial_connection_window_size": 1048576},
               "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "a", "idle_timeout": "5s"}}]}]},
               "http_filters": [{"name": "r", "typed_config": {"@type": TYPE + "filters.http.router.v3.Router"}}]}
    server = {"@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": {
        "tls_certificates": [{"certificate_chain": {"filename": str(pki / "server.pem")}, "private_key": {"filename": str(pki / "server.key")}}]}}
    return {
        "admin": {"address": address(9901)},
        "overload_manager": {"resource_monitors": [{"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": {
            "@type": TYPE + "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig", "max_active_downstream_connections": "1000"}}]},
        "static_resources": {
            "listeners": [{"name": "edge", "address": address(8443), "per_connection_buffer_limit_bytes": 32768, "filter_chains": [{
                "transport_socket_connect_timeout": "10s", "transport_socket": {"name": "tls", "typed_config": server},
                "filters": [{"name": "h", "typed_config": manager}]}]}],
            "clusters": [{"name": "a", "load_assignment": endpoints(3), "transport_socket": {"name": "tls", "typed_config": SAFE_TLS}}]}}


# What makes the careful configuration risky, as a path and a value (None: nothing stands there), and the rule that tells.
EDGE = "static_resources.listeners.0"
CHAIN = EDGE + ".filter_chains.0"
MANAGER = CHAIN + ".filters.0.typed_config"
CLUSTER = "static_resources.clusters.0"
RISKS = [
    ("admin-is-public", {"admin.address.socket_address.address": "0.0.0.0"}),
    ("no-connection-limit", {"overload_manager": None}),
    ("no-handshake-timeout", {CHAIN + ".transport_socket_connect_timeout": None}),
    ("no-handshake-timeout", {CHAIN + ".transport_socket_connect_timeout": "0s"}),
    ("clients-without-a-name-are-served", {CHAIN + ".transport_socket.typed_config.require_sni": True}),
    ("client-certificates-are-not-checked", {CHAIN + ".transport_socket.typed_config.require_client_certificate": True}),
    ("large-connection-buffers", {EDGE + ".per_connection_buffer_limit_bytes": None}),
    ("no-request-timeout", {MANAGER + ".request_headers_timeout": None}),
    ("no-stream-idle-timeout", {MANAGER + ".stream_idle_timeout": "0s"}),
    ("large-http2-windows", {MANAGER + ".http2_protocol_options.initial_stream_window_size": None}),
    ("many-http2-streams", {MANAGER + ".http2_protocol_options.max_concurrent_streams": None}),
    ("underscores-in-names", {MANAGER + ".common_http_protocol_options.headers_with_underscores_action": None}),
    ("path-is-not-normalised", {MANAGER + ".normalize_path": None}),
    ("no-route-timeout", {MANAGER + ".route_config.virtual_hosts.0.routes.0.route.timeout": "0s"}),
    ("upstream-is-not-verified", {CLUSTER + ".transport_socket.typed_config.common_tls_context": {}}),
    ("upstream-is-not-verified", {CLUSTER + ".transport_socket.typed_config.common_tls_context.validation_context.trust_chain_verification": "ACCEPT_UNTRUSTED"}),
    ("upstream-name-is-not-verified", {CLUSTER + ".transport_socket.typed_config.common_tls_context.validation_context.match_typed_subject_alt_names": None}),
    ("tls-is-old", {CHAIN + ".transport_socket.typed_config.common_tls_context.tls_params": {"tls_minimum_protocol_version": "TLSv1_1"}}),
    ("tls-is-old", {CLUSTER + ".transport_socket.typed_config.common_tls_context.tls_params": {"tls_minimum_protocol_version": "TLSv1_0"}}),
    ("keys-are-logged", {CHAIN + ".transport_socket.typed_config.common_tls_context.key_log": {"path": "/tmp/keys"}}),
    ("expired-certificates-are-taken", {
        CLUSTER + ".transport_socket.typed_config.common_tls_context.validation_context.allow_expired_certificate": True}),
    ("upstream-may-renegotiate", {CLUSTER + ".transport_socket.typed_config.allow_renegotiation": True}),
    ("client-certificates-are-hearsay", {MANAGER + ".forward_client_cert_details": "ALWAYS_FORWARD_ONLY"}),
    ("settings-say-nothing", {CLUSTER + ".original_dst_lb_config": {"use_http_header": True}}),
    ("nothing-is-ejected", {CLUSTER + ".outlier_detection": {}}),
    ("collector-is-not-there", {MANAGER + ".access_log": [{"name": "l", "typed_config": {
        "@type": TYPE + "access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
        "common_config": {"log_name": "l", "transport_api_version": "V3", "grpc_service": {"envoy_grpc": {"cluster_name": "als"}}}}}]}),
    ("collector-is-not-there", {MANAGER + ".access_log": [{"name": "l", "typed_config": {
        "@type": TYPE + "access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig", "log_name": "l",
        "http_service": {"http_uri": {"uri": "http://c.test/v1/logs", "cluster": "otlp", "timeout": "1s"}}}}]}),
    ("collector-is-not-there", {MANAGER + ".tracing": {"provider": {"name": "t", "typed_config": {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "grpc_service": {"envoy_grpc": {"cluster_name": "otlp"}}}}}}),
    ("trace-is-not-written", {"perf_tracing_file_path": "/tmp/trace"}),
    ("clients-choose-the-upstream", {CLUSTER + ".type": "ORIGINAL_DST", CLUSTER + ".lb_policy": "CLUSTER_PROVIDED", CLUSTER + ".load_assignment": None,
                                     CLUSTER + ".original_dst_lb_config": {"use_http_header": True}}),
]
FINE = [
    {CLUSTER + ".outlier_detection": {"always_eject_one_host": True}},
    {CLUSTER + ".outlier_detection": {"max_ejection_percent": 34}},
    {CLUSTER + ".outlier_detection": {}, CLUSTER + ".load_assignment": endpoints(10)},
    {MANAGER + ".access_log": [{"name": "l", "typed_config": {
        "@type": TYPE + "access_loggers.grpc.v3.TcpGrpcAccessLogConfig",
        "common_config": {"log_name": "l", "transport_api_version": "V3", "grpc_service": {"envoy_grpc": {"cluster_name": "a"}}}}}]},
    {MANAGER + ".request_headers_timeout": None, MANAGER + ".request_timeout": "30s"},
    {MANAGER + ".codec_type": "HTTP1", MANAGER + ".http2_protocol_options": None},
    {MANAGER + ".forward_client_cert_details": "FORWARD_ONLY"},
    {CHAIN + ".transport_socket.typed_config.common_tls_context.tls_params": {"tls_minimum_protocol_version": "TLSv1_2"}},
]


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=server.test", "-keyout", "server.key",
                    "-out", "server.pem"], cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return folder


def changed(config, changes):
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
        at = config
        for word in way:
            at = at[word]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return config


def check(sluice, folder, config, form="json"):
    path = folder / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
    done = subprocess.run([sluice, "check", str(path), "--report", form], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout


def rules(sluice, folder, config):
    code, out = check(sluice, folder, config)
    assert code == 0, out
    return [finding["rule"] for finding in json.loads(out)["findings"]]


def test_a_careful_edge_has_no_risk(sluice, tmp_path, pki):
    assert rules(sluice, tmp_path, safe(pki)) == []


@pytest.mark.parametrize("rule, changes", RISKS, ids=["%s-%d" % (rule, i) for i, (rule, _) in enumerate(RISKS)])
def test_a_risk_is_told(sluice, tmp_path, pki, rule, changes):
    assert rules(sluice, tmp_path, changed(safe(pki), changes)) == [rule]


@pytest.mark.parametrize("changes", FINE, ids=range(len(FINE)))
def test_what_looks_like_it_is_not(sluice, tmp_path, pki, changes):
    assert rules(sluice, tmp_path, changed(safe(pki), changes)) == []


def test_every_rule_is_tested(root):
    with open(root + "/source/config/risks.cc") as f:
        assert set(re.findall(r'tell\("([a-z0-9-]+)"', f.read())) == {rule for rule, _ in RISKS}


def test_the_forms_say_the_same(sluice, tmp_path, pki):
    config = changed(safe(pki), {EDGE + ".per_connection_buffer_limit_bytes": None, EDGE + ".reuse_port": True, CLUSTER + ".outlier_detection": {}})
    code, text = check(sluice, tmp_path, config, "text")
    assert code == 0
    findings = json.loads(check(sluice, tmp_path, config)[1])["findings"]
    sarif = json.loads(check(sluice, tmp_path, config, "sarif")[1])
    assert [f["rule"] for f in findings] == ["large-connection-buffers", "deprecated-field", "nothing-is-ejected"]
    results = sarif["runs"][0]["results"]
    assert sarif["version"] == "2.1.0" and [r["ruleId"] for r in results] == [f["rule"] for f in findings]
    lines = [line for line in text.splitlines() if not line.startswith("    ")]
    for finding, result, line in zip(findings, results, lines, strict=True):
        place = "%s:%d:%d: %s: %s: %s [%s]" % (finding["file"], finding["line"], finding["column"], finding["field"], finding["level"], finding["text"], finding["rule"])
        assert line == place
        where = result["locations"][0]["physicalLocation"]
        assert where["region"] == {"startLine": finding["line"], "startColumn": finding["column"]} and where["artifactLocation"]["uri"] == finding["file"]
        assert result["level"] == finding["level"] and finding["text"] in result["message"]["text"]


def test_errors_come_first_all_of_them_and_fail(sluice, tmp_path, pki):
    config = changed(safe(pki), {CLUSTER + ".connect_timeout": "soon", CLUSTER + ".name": "", "admin.address.socket_address.port_value": 70000})
    code, out = check(sluice, tmp_path, config)
    findings = json.loads(out)["findings"]
    assert code == 1 and {f["level"] for f in findings} == {"error"}
    fields = [f["field"] for f in findings]
    for field in ("admin.address.socket_address.port_value", "static_resources.clusters[0].connect_timeout", "static_resources.clusters[0].name"):
        assert any(told.startswith(field) for told in fields), fields
    assert [f["line"] for f in findings] == sorted(f["line"] for f in findings)


def test_a_key_exchange_that_is_not_here_is_told(sluice, tmp_path, pki):
    parameters = CLUSTER + ".transport_socket.typed_config.common_tls_context.tls_params"
    config = changed(safe(pki), {parameters: {"ecdh_curves": ["X25519MLKEM768", "P-256"]}})
    code, out = check(sluice, tmp_path, config)
    findings = json.loads(out)["findings"]
    assert code == 0 and [(f["level"], f["rule"]) for f in findings] == [("note", "unknown-field")]
    assert "X25519MLKEM768" in findings[0]["text"] and findings[0]["field"].endswith("tls_params.ecdh_curves")
    alone = changed(safe(pki), {parameters: {"ecdh_curves": ["X25519MLKEM768"]}})
    code, out = check(sluice, tmp_path, alone)
    assert code == 1 and [f["level"] for f in json.loads(out)["findings"]] == ["error"]


def test_several_files(sluice, tmp_path, pki):
    good, bad = tmp_path / "good.json", tmp_path / "bad.yaml"
    good.write_text(json.dumps(safe(pki)))
    bad.write_text("static_resources: {clusters: [{nam: a}]}\n")
    done = subprocess.run([sluice, "check", str(good), str(bad)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "bad.yaml:1:" in done.stdout and "name" in done.stdout and "good.json" not in done.stdout
