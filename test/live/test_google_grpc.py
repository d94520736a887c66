"""google_grpc: gRPC's library is there when it is configured, and costs nothing when it is not. What it says and does on its streams
is in the recorded conversations (test/conformance/xds/cases/google_grpc*.yaml)."""
import json
import os
import subprocess

import pytest

from pki import Pki
from plane_rig import bootstrap, cluster, endpoints
from rig import Proxy, wait_for


def google_grpc(plane, port=None, **more):
    config = bootstrap(plane)
    config["dynamic_resources"]["ads_config"]["grpc_services"] = [{"google_grpc": {
        "target_uri": "127.0.0.1:%d" % (port or plane.port), "stat_prefix": "plane",
        "channel_args": {"args": {"grpc.initial_reconnect_backoff_ms": {"int_value": 100}, "grpc.max_reconnect_backoff_ms": {"int_value": 100}}}, **more}}]
    del config["static_resources"]
    return config


def ssl(pki, ca="ca", leaf="client"):
    own = {"cert_chain": {"filename": pki.path(leaf + ".pem")}, "private_key": {"filename": pki.path(leaf + ".key")}} if leaf else {}
    return {"ssl_credentials": {"root_certs": {"filename": pki.path(ca + ".pem")}, **own}}


def threads(proxy):
    return len(os.listdir("/proc/%d/task" % proxy.process.pid))


def test_it_costs_nothing_when_it_is_not_configured(plane, sluice, ports, tmp_path):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    plane.start()
    empty, without, with_it = (Proxy(sluice, ports, str(tmp_path), bootstrap=config)
                               for config in ({"static_resources": {}}, bootstrap(plane), google_grpc(plane)))
    try:
        assert threads(without) == 2                   # main and the worker
        assert threads(with_it) > 2
        assert without.stat("cluster.a.membership_total") == with_it.stat("cluster.a.membership_total") == 1
        # Of their own, beside the pages of files that the machine keeps for everybody: some 2 and 2.6 MiB.
        assert empty.owned() < 4 * 1024 * 1024, empty.owned()
        assert without.owned() < 5 * 1024 * 1024, without.owned()
    finally:
        empty.end()
        without.end()
        with_it.end()


def test_the_control_plane_dies_and_comes_back(plane, sluice, ports, tmp_path):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=google_grpc(plane))
    try:
        for number in (2, 3):
            plane.kill()
            assert wait_for(lambda: proxy.stat("control_plane.connected_state") == 0)
            plane.put("a", cluster("a"), endpoints("a", range(1, number + 1)))
            plane.start()
            assert wait_for(lambda: proxy.stat("cluster.a.membership_total") == number, 30)
        assert proxy.stat("grpc.plane.streams_closed_14") >= 2
        proxy.signal(15)                                # ends with a stream open
        assert proxy.process.wait(20) == 0
    finally:
        proxy.end()


@pytest.fixture
def pki(tmp_path):
    return Pki(str(tmp_path / "pki")).ensure()


def test_mutual_tls_with_the_control_plane(plane, pki, sluice, ports, tmp_path):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    plane.start(tls=["--tls-certificate", pki.path("server.pem"), "--tls-key", pki.path("server.key"), "--tls-client-ca", pki.path("ca.pem")])
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=google_grpc(plane, channel_credentials=ssl(pki)))
    try:
        assert proxy.stat("cluster.a.membership_total") == 1
    finally:
        proxy.end()


@pytest.mark.parametrize("credentials", [{}, {"ca": "other-ca"}, {"leaf": None}, {"leaf": "wrong"}],
                         ids=["plain text", "another authority", "no certificate", "a stranger's certificate"])
def test_who_does_not_trust_each_other_does_not_talk(plane, pki, sluice, ports, tmp_path, credentials):
    plane.put("a", cluster("a"), endpoints("a", [1]))
    plane.start(tls=["--tls-certificate", pki.path("server.pem"), "--tls-key", pki.path("server.key"), "--tls-client-ca", pki.path("ca.pem")])
    config = google_grpc(plane, **({"channel_credentials": ssl(pki, **credentials)} if credentials else {}))
    for kind in ("cds_config", "lds_config"):
        config["dynamic_resources"][kind] = {**config["dynamic_resources"][kind], "initial_fetch_timeout": "0.5s"}
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=config)
    try:
        assert wait_for(lambda: proxy.stat("grpc.plane.streams_closed_14") >= 2)
        assert proxy.stat("cluster_manager.cds.update_success") == 0 and not plane.status()["clients"]
    finally:
        proxy.end()


@pytest.mark.parametrize("more, says", [
    ({"credentials_factory_name": "f"}, "credentials_factory_name"),
    ({"config": {"a": "b"}}, "config"),
    ({"per_stream_buffer_limit_bytes": 65536}, "per_stream_buffer_limit_bytes"),
    ({"call_credentials": [{"access_token": "t"}]}, "call_credentials: are never sent without channel_credentials"),
    ({"call_credentials": [{"google_compute_engine": {}}], "channel_credentials": {"ssl_credentials": {}}}, "google_compute_engine"),
    ({"call_credentials": [{"sts_service": {"subject_token_path": "p", "subject_token_type": "t"}}],
      "channel_credentials": {"ssl_credentials": {}}}, "sts_service"),
    ({"channel_credentials": {"ssl_credentials": {"private_key": {"inline_string": "k"}}}}, "private_key and cert_chain belong together"),
    ({"channel_credentials": {"ssl_credentials": {"root_certs": {"filename": "/nowhere.pem"}}}}, "cannot read '/nowhere.pem'"),
    ({"channel_args": {"args": {"a": {"int_value": "3000000000"}}}}, "gRPC's arguments have 32 bits")])
def test_what_is_not_honoured_is_refused(plane, sluice, tmp_path, more, says):
    config = google_grpc(plane)
    config["dynamic_resources"]["ads_config"]["grpc_services"][0]["google_grpc"].update(more)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    done = subprocess.run([sluice, "--mode", "validate", "-c", str(path)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and says in done.stderr, done
