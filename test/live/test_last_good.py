"""--last-good-config: a restart with the control plane away serves what the process before had, and says so."""
import os
import signal

import pytest

from plane_rig import bootstrap, cluster, endpoints, listener, routes
from rig import Origin, Proxy, read_head, wait_for


def serve(connection):
    while read_head(connection)[0]:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


@pytest.mark.parametrize("api_type", ["GRPC", "DELTA_GRPC"])
def test_a_restart_with_the_control_plane_away(plane, sluice, ports, tmp_path, api_type):
    origin, port, kept = Origin(serve), ports(), str(tmp_path / "last-good")
    plane.put("all", cluster("one"), endpoints("one", [origin.port]), routes("table", {"one": 1}), listener("main", port, "table"))

    def proxy():
        one = Proxy(sluice, ports, str(tmp_path), bootstrap=bootstrap(plane, api_type), args=["--last-good-config", kept])
        one.port = port
        return one

    def served():
        try:
            return running.get("/") == (200, b"ok")
        except OSError:
            return False
    running = None
    try:
        plane.start()
        running = proxy()
        assert wait_for(served)
        assert running.admin("/ready")[1] == "LIVE\n"
        running.signal(signal.SIGTERM)      # written at the end of the process
        running.process.wait(30)
        running.end()
        assert os.stat(kept).st_mode & 0o077 == 0
        plane.kill()

        running = proxy()
        assert wait_for(served)
        status, text = running.admin("/ready")
        assert status == 200 and text.startswith("LIVE\nstale: ")
        assert running.stat("last_good.stale") >= 4      # clusters, endpoints, listeners, routes
        plane.start()
        assert wait_for(lambda: running.stat("last_good.stale") == 0, 60)
        assert running.admin("/ready")[1] == "LIVE\n" and served()
    finally:
        if running:
            running.end()
        origin.end()
