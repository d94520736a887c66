#!/usr/bin/env python3
"""Many clusters from a control plane: how long until a proxy serves, what it holds, and when one changed assignment is in force.

    build/venv/bin/python test/perf/many_clusters.py [--clusters N] [--endpoints N] [--api GRPC|DELTA_GRPC] [--proxy BINARY] [--changes N]
                                                       [--control-plane BINARY] [--workers N]

--proxy: any with Envoy's command line; by default build/release/sluice. CPU times say more than clocks on a machine that has other work.
The wanted figures: in force on every worker 5 ms after its arrival, with 100 us of any worker's time.
"""
import argparse
import http.client
import json
import os
import socket
import statistics
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path[:0] = [os.path.join(ROOT, folder) for folder in ("test/live", "test/conformance", "test/conformance/behaviour")]

from plane_rig import ControlPlane, bootstrap, cluster, endpoints, listener, routes
from proc import cpu_seconds
from rig import Origin, Proxy, read_head, wait_for
from runner import Ports

PER_FILE = 500      # clusters, and assignments
BETWEEN = 0.5       # seconds between two changes whose cost is taken; a slow machine needs them all


def resident(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024


def threads(pid):
    """{thread: microseconds on a CPU}; main has the number of its process."""
    found = {}
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as f:
            found[int(thread)] = int(f.read().split()[0]) / 1000
    return found


def origin(name):
    def serve(connection):
        while read_head(connection)[0]:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(name), name))
    return Origin(serve)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--clusters", type=int, default=10000)
    p.add_argument("--endpoints", type=int, default=3)
    p.add_argument("--api", choices=["GRPC", "DELTA_GRPC"], default="GRPC")
    p.add_argument("--proxy", default=os.path.join(ROOT, "build/release/sluice"))
    p.add_argument("--control-plane", default=os.path.join(ROOT, "build/release/control_plane"))
    p.add_argument("--changes", type=int, default=10)
    p.add_argument("--workers", type=int, default=2)
    options = p.parse_args()
    block = Ports()

    def ports():
        return block.take("")
    one, other = origin(b"one"), origin(b"other")
    with tempfile.TemporaryDirectory() as folder:
        plane = ControlPlane(os.path.abspath(options.control_plane), ports, folder)
        names = ["cluster-%05d" % i for i in range(options.clusters)]
        port = ports()
        for first in range(0, len(names), PER_FILE):
            some = names[first:first + PER_FILE]
            plane.put("clusters-%05d" % first, *[cluster(name) for name in some])
            plane.put("endpoints-%05d" % first, *[endpoints(name, range(30000, 30000 + options.endpoints)) for name in some])
        asked = "asked"
        plane.put("asked", cluster(asked), endpoints(asked, [one.port]))
        plane.put("main", listener("main", port, "main"), routes("main", {asked: 1}))
        begun = time.monotonic()
        plane.start(120)
        print("control plane: %d clusters read in %.2f s, %.2f s of CPU, %.0f MiB" % (
            options.clusters, time.monotonic() - begun, cpu_seconds(plane.process.pid), resident(plane.process.pid)))
        plane_before, begun = cpu_seconds(plane.process.pid), time.monotonic()
        proxy = Proxy(options.proxy, ports, folder, bootstrap=bootstrap(plane, options.api), patience=300,
                      args=["--disable-hot-restart", "--concurrency", str(options.workers)])
        try:
            assert wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 60)
            print("%s, %s: serves after %.2f s, %.2f s of CPU, %.0f MiB; the control plane took %.2f s of CPU" % (
                os.path.basename(options.proxy), options.api, time.monotonic() - begun, cpu_seconds(proxy.process.pid), resident(proxy.process.pid),
                cpu_seconds(plane.process.pid) - plane_before))
            change(options, plane, proxy, port, asked, (one, other))
            cost(options, plane, proxy, asked)
        finally:
            proxy.end()
            plane.end()


def change(options, plane, proxy, port, asked, origins):
    """One assignment, again and again; in force when a request is answered by the other origin."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def answer():
        connection.request("GET", "/")
        return connection.getresponse().read()
    assert answer() == b"one"
    took, before, plane_before = [], cpu_seconds(proxy.process.pid), cpu_seconds(plane.process.pid)
    for i in range(options.changes):
        number, wanted = (i + 1) % 2, (b"one", b"other")[(i + 1) % 2]
        begun = time.monotonic()
        plane.put("asked", cluster(asked), endpoints(asked, [origins[number].port]))
        while answer() != wanted:
            time.sleep(0.001)
        took.append(time.monotonic() - begun)
    print("one changed assignment: in force after %.0f ms (median of %d, most %.0f); for each %.1f ms of CPU in the proxy, %.1f in the control plane" % (
        1000 * statistics.median(took), len(took), 1000 * max(took), 1000 * (cpu_seconds(proxy.process.pid) - before) / len(took),
        1000 * (cpu_seconds(plane.process.pid) - plane_before) / len(took)))
    show_in_force(proxy, options.changes, "while somebody asks")


def show_in_force(proxy, changes, what):
    """Of the newest changes, by the proxy's own clock: from the arrival of the bytes until the last worker had them."""
    status, text = proxy.admin("/xds/history")[:2]
    if status != 200:
        return      # another proxy
    pushes = [push for push in json.loads(text)["pushes"] if push["type"] == "EDS"][:changes]
    took = [push["in_force_after_us"] / 1000 for push in pushes]
    print("in force on every worker %.2f ms after its arrival (median of %d, most %.2f), %s" % (
        statistics.median(took), len(took), max(took), what))


def cost(options, plane, proxy, asked):
    """Of three endpoints, one of them another each time, and nothing else to do: nobody asks the proxy anything meanwhile."""
    pid = proxy.process.pid
    done = proxy.stat("cluster.%s.update_success" % asked)
    time.sleep(0.5)
    before = threads(pid)
    time.sleep(BETWEEN * options.changes)
    idle = threads(pid)
    for i in range(options.changes):
        plane.put("asked", cluster(asked), endpoints(asked, [30000, 30001, 31000 + i]))
        time.sleep(BETWEEN)
    after = threads(pid)
    came = proxy.stat("cluster.%s.update_success" % asked) - done
    assert came == options.changes, "%d updates came of %d" % (came, options.changes)
    each = {t: (after[t] - idle[t]) / came for t in before}
    show_in_force(proxy, options.changes, "while nobody asks")
    print("its cost: %.0f us of main's time, at most %.0f us of one worker's, with all else that they do in %.1f s; "
          "when nothing comes main needs %.0f us a second" % (
              each.pop(pid), max(each.values()), BETWEEN, (idle[pid] - before[pid]) / (BETWEEN * options.changes)))


if __name__ == "__main__":
    main()
