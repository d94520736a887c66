"""What comes and goes leaves nothing behind: after twice as many changes as much is allocated."""
import json
import os
import time

import pytest

from pki import Pki
from plane_rig import bootstrap, listener
from rig import TYPE, Proxy, wait_for
from test_live_updates import Updates

ROUND = 10 * 12                 # changes; each kind of them stands among twelve
TOLERATED = 8 * 1024            # bytes: names that nobody has any more go when there are twice as many

HTTP = TYPE + "filters.http."
ANY = {"any": True}
NETWORKS = [{"address_prefix": "10.0.0.0", "prefix_len": 8}]
# Filters whose counters stand below the prefix of their connection manager.
COUNTING = [
    {"name": "rbac", "typed_config": {"@type": HTTP + "rbac.v3.RBAC", "rules": {
        "policies": {"all": {"permissions": [ANY], "principals": [ANY]}}}}},
    {"name": "tags", "typed_config": {"@type": HTTP + "ip_tagging.v3.IPTagging", "request_type": "BOTH", "ip_tags": [
        {"ip_tag_name": "ten", "ip_list": NETWORKS}]}},
    {"name": "metadata", "typed_config": {"@type": HTTP + "set_metadata.v3.Config", "metadata": [
        {"metadata_namespace": "here", "value": {"a": 1}}]}},
    {"name": "router", "typed_config": {"@type": HTTP + "router.v3.Router"}}]


class EverythingChanges(Updates):
    """Also the prefix of all that a listener counts."""

    def listeners(self):
        plain, tls, renamed = self.ports
        more = {"stream_idle_timeout": "%ds" % (300 + self.number % 1000), "access_log": [self.log]}
        self.plane.put("listeners", listener("plain", plain, "main", hcm=more), listener("tls", tls, "main", secret="own", hcm=more),
                       listener("renamed-%07d" % self.number, renamed, "main", hcm={**more, "http_filters": COUNTING}))


@pytest.mark.parametrize("api_type", ["GRPC", "DELTA_GRPC"])
def test_changes_leave_nothing_behind(plane, sluice, ports, tmp_path, api_type, monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")     # what is allocated is in use then
    pki = Pki(str(tmp_path / "pki")).ensure()
    updates = EverythingChanges(plane, (ports(), ports(), ports()), [ports() for _ in range(4)], pki, os.devnull)
    plane.start()
    proxy = Proxy(sluice, ports, str(tmp_path), bootstrap=bootstrap(plane, api_type),
                  args=["--drain-time-s", "1", "--drain-strategy", "immediate"])

    def settled():
        return (proxy.stat("listener_manager.total_filter_chains_draining") == 0 and proxy.stat("listener_manager.total_listeners_draining") == 0 and
                proxy.stat("cluster_manager.active_clusters") == 4 and proxy.stat("cluster_manager.warming_clusters") == 0)

    def allocated():
        return int(json.loads(proxy.admin("/memory")[1])["allocated"])

    def a_round():
        """The number of stats after it."""
        for _ in range(ROUND):
            updates.next()
            time.sleep(0.02)        # else several are one for the control plane
            assert wait_for(lambda: plane.client()["in_force"], 20)
        updates.settle()
        assert wait_for(settled, 20)
        time.sleep(3)               # what drained is destroyed a little later than it is counted
        return len({line.split(":")[0] for line in proxy.admin("/stats")[1].splitlines()})
    try:
        a_round()
        names, before = a_round(), allocated()
        names_then = a_round()
        assert wait_for(lambda: allocated() - before < TOLERATED, 15), (before, allocated())
        assert names_then <= names + 4
    finally:
        proxy.end()
