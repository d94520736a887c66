"""Control planes that send too much, and configurations that wait for themselves: the proxy lives, says what is wrong, and goes on
when it is better."""
from pki import Pki
from plane_rig import ADS, bootstrap, cluster, endpoints
from rig import TYPE, Proxy, wait_for

MIB = 1024 * 1024


def padded(name, size, **more):
    return cluster(name, metadata={"filter_metadata": {"pad": {"pad": "x" * size}}}, **more)


def test_a_response_of_64_mib(plane, sluice, ports, tmp_path):
    plane.put("clusters", padded("a", 64 * MIB), endpoints("a", [1]))
    plane.start(60)
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=bootstrap(plane), patience=60)
    try:
        assert proxy.stat("cluster.a.membership_total") == 1
        plane.put("clusters", cluster("a"), endpoints("a", [1]))
        assert wait_for(lambda: proxy.stat("cluster_manager.cluster_modified") == 1, 60)
        # None of it is kept; what malloc had for the texts that came in between may be.
        assert wait_for(lambda: proxy.owned() < 90 * MIB, 10), proxy.owned()
    finally:
        proxy.end()


def test_a_response_above_the_limit_ends_the_stream(plane, sluice, ports, tmp_path):
    config = bootstrap(plane)
    grpc = config["dynamic_resources"]["ads_config"]["grpc_services"][0]
    grpc["envoy_grpc"]["max_receive_message_length"] = MIB
    grpc["envoy_grpc"]["retry_policy"] = {"retry_back_off": {"base_interval": "0.1s", "max_interval": "0.2s"}}
    for kind in ("cds_config", "lds_config"):
        config["dynamic_resources"][kind] = {**ADS, "initial_fetch_timeout": "0.5s"}
    plane.put("clusters", padded("a", 8 * MIB), endpoints("a", [1]))
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=config)
    try:
        assert wait_for(lambda: proxy.stat("cluster_manager.cds.update_failure") >= 3)
        assert "longer than allowed" in open(proxy.log.name).read()
        assert proxy.stat("cluster_manager.cds.init_fetch_timeout") == 1 and proxy.owned() < 12 * MIB
        plane.put("clusters", cluster("a"), endpoints("a", [1]))
        assert wait_for(lambda: proxy.stat("cluster.a.membership_total") == 1)
    finally:
        proxy.end()


def test_a_control_plane_that_is_reached_with_a_secret_of_its_own(plane, sluice, ports, tmp_path):
    """Its cluster waits for the secret, the secret for the cluster, and all that is discovered for both."""
    pki = Pki(str(tmp_path / "pki")).ensure()
    wait = {**ADS, "initial_fetch_timeout": "0.5s"}
    config = bootstrap(plane)
    config["dynamic_resources"].update(cds_config=wait, lds_config=wait)
    config["static_resources"]["clusters"][0]["transport_socket"] = {"name": "tls", "typed_config": {
        "@type": TYPE + "transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": "own", "sds_config": wait}],
                               "validation_context": {"trusted_ca": {"filename": pki.path("ca.pem")}}}}}
    plane.put("clusters", cluster("a"), endpoints("a", [1]))
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=config)      # waits until it is ready: each wait has its end
    try:
        assert proxy.stat("cluster_manager.cds.init_fetch_timeout") == 1
        assert proxy.stat("listener_manager.lds.init_fetch_timeout") == 1
        before = proxy.stat("cluster_manager.cds.update_failure")
        assert wait_for(lambda: proxy.stat("cluster_manager.cds.update_failure") > before)     # it goes on trying
        assert proxy.rests(0.3)
    finally:
        proxy.end()
