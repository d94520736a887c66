"""sluice explain: what it says of requests to configs/explain.yaml, and what it refuses."""
import json
import subprocess

import pytest

CONFIG = "configs/explain.yaml"


@pytest.fixture
def explain(sluice, root):
    def run(*words, config=CONFIG, ok=True):
        done = subprocess.run([sluice, "explain", "-c", config, *words], cwd=root, capture_output=True, text=True, timeout=30)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout if ok else done.stderr
    return run


def line_of(root, text, nth=0):
    """Where `text` stands in the configuration, as a place."""
    with open("%s/%s" % (root, CONFIG)) as f:
        found = [i for i, line in enumerate(f, 1) if text in line]
    return "%s:%d" % (CONFIG, found[nth])


def find(out, text):
    lines = [line for line in out.splitlines() if text in line]
    assert lines, "'%s' is not in\n%s" % (text, out)
    return lines[0]


def test_a_request_from_the_listener_to_the_upstream_and_back(explain, root):
    out = explain("GET http://shop.example.com:8080/cart/7", "-H", "x-debug: 1")
    assert find(out, "listener: 'edge'").endswith(line_of(root, "name: edge"))
    assert find(out, "filter chain: 'public'").endswith(line_of(root, "name: public"))
    assert find(out, "virtual host: 'shop' by domain 'shop.example.com'").endswith(line_of(root, "name: shop"))
    assert find(out, "route lost: 'beta'").endswith(line_of(root, "name: beta"))
    assert 'wants x-beta exact "yes", is missing' in find(out, "route lost: 'beta'")
    assert find(out, "route: matched: 'cart'").endswith(line_of(root, "name: cart"))
    assert "'rest'" not in out
    assert "changes nothing" in find(out, "envoy.filters.http.rbac")
    assert find(out, "- x-debug: 1") and find(out, "+ x-from: edge")
    assert "3 s" in find(out, "timeouts:")
    assert "up to 2 on gateway-error,connect-failure" in find(out, "retries:")
    assert find(out, "upstream request: to 127.0.0.1:9001 of cluster cart")
    assert "was /cart/7" in find(out, "~ :path: /v2/cart/7")
    assert find(out, "+ x-tenant: shop.example.com").endswith(line_of(root, "key: x-tenant"))
    assert find(out, "+ x-edge: sluice").endswith(line_of(root, "key: x-edge"))


def test_the_source_chooses_the_chain(explain, root):
    out = explain("GET http://any.example.com:8080/status", "--source", "10.1.2.3")
    assert find(out, "filter chain: 'internal'")
    assert find(out, "source_prefix_ranges: 10.0.0.0/8")
    assert find(out, "direct response with status 200")
    assert "upstream request" not in out


def test_a_filter_that_answers_ends_it(explain, root):
    out = explain("POST http://shop.example.com:8080/admin/users")
    assert "answers 403, rbac_access_denied" in find(out, "filter: envoy.filters.http.rbac")
    assert "header_mutation" not in out and "upstream request" not in out
    assert find(out, "answer: status 403")


def test_weights_and_redirects(explain):
    out = explain("GET http://www.shop.example.com:8080/")
    assert find(out, "by domain '*.shop.example.com'")
    assert "drawn with weight" in find(out, "cluster: 'web")
    assert find(out, "upstream request: to 192.0.2.2:80 of cluster web")
    out = explain("GET http://shop.example.com:8080/basket")
    assert find(out, "redirect with status 301")
    assert find(out, "+ location: http://shop.example.com:8080/cart")


def test_nobody_serves_it(explain):
    out = explain("GET http://nobody.test:8080/")
    assert find(out, "virtual host: none has a domain for 'nobody.test:8080'")
    assert find(out, "answer: status 404") and find(out, "details route_not_found, flags NR")


def test_json_is_the_same_tree(explain):
    tree = json.loads(explain("GET http://shop.example.com:8080/cart", "--json"))
    assert tree["topic"] == "request" and tree["text"] == "GET http://shop.example.com:8080/cart"
    topics = [part["topic"] for part in tree["parts"]]
    assert topics[:4] == ["listener", "filter chain", "connection manager", "virtual host"] and topics[-1] == "answer"
    assert all(set(part) <= {"topic", "text", "place", "parts"} for part in tree["parts"])


@pytest.mark.parametrize("words, error", [
    (["GET http://shop.example.com:9999/"], "no listener has port 9999"),
    (["GET http://shop.example.com/", "--listener", "nothing"], "no listener is named 'nothing'"),
    (["GET shop.example.com"], "is not a URL"),
    (["GET http://a.test/", "-H", "no colon"], "is not NAME: VALUE"),
    (["GET http://a.test/", "--source", "nowhere"], "is not an IP address"),
    (["GET http://a.test/", "--sni", "a.test"], "--sni needs a URL of https"),
    ([], "usage: sluice explain"),
])
def test_what_cannot_be_asked(explain, words, error):
    assert error in explain(*words, ok=False)


def test_another_port_is_guessed_only_when_none_was_given(explain):
    assert find(explain("GET http://shop.example.com/cart"), "no listener has port 80; this is the first one")


def test_every_recorded_error_of_a_configuration_is_told(explain):
    assert "bad_duration.yaml:" in explain("GET http://a.test/", config="configs/invalid/bad_duration.yaml", ok=False)


def test_what_comes_out_of_files_is_read_too(explain, tmp_path):
    def source(name):
        return '{path_config_source: {path: "%s"}}' % (tmp_path / name)
    def resources(name, kind, *texts):
        (tmp_path / name).write_text("resources:\n" + "".join('- {"@type": type.googleapis.com/%s, %s}\n' % (kind, t) for t in texts))
    resources("cds.yaml", "envoy.config.cluster.v3.Cluster",
              "name: shop, type: EDS, eds_cluster_config: {service_name: shops, eds_config: %s}" % source("eds.yaml"))
    resources("eds.yaml", "envoy.config.endpoint.v3.ClusterLoadAssignment",
              "cluster_name: shops, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.9.8.7, port_value: 80}}}}]}]")
    manager = ('{name: hcm, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.'
               'HttpConnectionManager, stat_prefix: s, rds: {route_config_name: table, config_source: %s}, http_filters: [{name: router, '
               'typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}' % source("rds.yaml"))
    resources("lds.yaml", "envoy.config.listener.v3.Listener",
              "name: edge, address: {socket_address: {address: 0.0.0.0, port_value: 8080}}, filter_chains: [{filters: [%s]}]" % manager)
    resources("rds.yaml", "envoy.config.route.v3.RouteConfiguration",
              'name: table, virtual_hosts: [{name: v, domains: ["*"], routes: [{name: all, match: {prefix: /}, route: {cluster: shop}}]}]')
    (tmp_path / "boot.yaml").write_text("node: {id: a, cluster: b}\ndynamic_resources: {cds_config: %s, lds_config: %s}\n"
                                        % (source("cds.yaml"), source("lds.yaml")))
    out = explain("GET http://any:8080/x", config=str(tmp_path / "boot.yaml"))
    assert find(out, "route: matched: 'all'").endswith("rds.yaml:2")
    assert find(out, "upstream request: to 10.9.8.7:80 of cluster shop")
    assert "not known here" not in out
    (tmp_path / "rds.yaml").unlink()
    err = explain("GET http://any:8080/x", config=str(tmp_path / "boot.yaml"), ok=False)
    assert "the configuration has no listeners; listeners: " in err and "rds.yaml': it must exist at the start" in err
    (tmp_path / "rds.yaml").write_text("resources: []")
    out = explain("GET http://any:8080/x", config=str(tmp_path / "boot.yaml"))
    assert "there is no table of that name" in find(out, "not known here: routes 'table'")


def test_a_retry_policy_of_the_cluster_takes_the_place_of_the_routes(explain, tmp_path):
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = {"name": "r", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}
    routes = [{"match": {"prefix": "/route"}, "route": {"cluster": "plain", "retry_policy": {"retry_on": "reset"}}},
              {"match": {"prefix": "/both"}, "route": {"cluster": "own", "retry_policy": {"retry_on": "reset"}}},
              {"match": {"prefix": "/"}, "route": {"cluster": "own"}}]
    own = {"@type": "type.googleapis.com/" + options, "explicit_http_config": {"http_protocol_options": {}},
           "retry_policy": {"retry_on": "5xx", "num_retries": 4, "per_try_timeout": "0.7s"}}
    config = {"static_resources": {
        "listeners": [{"address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}}, "filter_chains": [{"filters": [
            {"name": "h", "typed_config": {"@type": hcm, "stat_prefix": "h", "http_filters": [router], "route_config": {
                "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}}}]}]}],
        "clusters": [{"name": "plain"}, {"name": "own", "typed_extension_protocol_options": {options: own}}]}}
    for cluster in config["static_resources"]["clusters"]:
        cluster["load_assignment"] = {"cluster_name": cluster["name"], "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": "127.0.0.1", "port_value": 9001}}}}]}]}
    file = tmp_path / "own.json"
    file.write_text(json.dumps(config))
    assert "up to 1 on reset" in find(explain("GET http://a:8080/route", config=file), "retries:")
    for path in ("/both", "/"):
        out = explain("GET http://a:8080%s" % path, config=file)
        assert "up to 4 on 5xx, as the cluster says" in find(out, "retries:")
        assert "700 ms" in find(out, "per try")
