"""The tests of DNS clusters (test/live/test_dns.py) again, with CoreDNS as the server."""
import os
import re
import subprocess
import threading
import time

import pytest

import go_module
from runner import die_with_parent
from rig import wait_for
from test_dns import *  # noqa: F401,F403  the tests; they take the zone from here
from test_dns import A, AAAA, CNAME, TXT

MODULE, VERSION = "github.com/coredns/coredns", "v1.15.0"
KINDS = {A: "A", AAAA: "AAAA", CNAME: "CNAME", TXT: "TXT"}


class CoreDns:
    """As test_dns.Zone: names and mood may be changed at any time, and a thread brings the server there."""

    def __init__(self, program, port, folder):
        self.program, self.port, self.folder = program, port, folder
        self.names, self.mood, self.process = {}, "well", None
        self.log = open(os.path.join(folder, "coredns.log"), "w")
        self.over, self.serial, self.written = threading.Event(), 0, None
        self.follow()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.03):
            self.follow()

    def follow(self):
        now = (repr(sorted(self.names.items())), self.mood)
        if now == self.written:
            return
        old, self.written = self.written, now
        if old is None or old[0] != now[0]:
            self.write_zone()
        if old is None or old[1] != now[1]:
            self.stop()
            if self.mood != "silent":
                self.run()

    def write_zone(self):
        self.serial += 1
        text = "$ORIGIN test.\n@ 5 IN SOA ns.test. root.test. %d 60 60 60 1\n@ 5 IN NS ns.test.\nns 5 IN A 127.0.0.1\n" % self.serial
        for name, records in self.names.items():
            for ttl, kind, value in records:
                value = value + ".test." if kind == CNAME else '"%s"' % value if kind == TXT else value
                text += "%s %d IN %s %s\n" % (name, ttl, KINDS[kind], value)
        path = os.path.join(self.folder, "zone")
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def run(self):
        serves = "template ANY ANY {\n rcode SERVFAIL\n }" if self.mood == "servfail" else \
            "file %s test {\n reload 100ms\n }" % os.path.join(self.folder, "zone")
        corefile = os.path.join(self.folder, "Corefile")
        with open(corefile, "w") as f:
            f.write(".:%d {\n bind 127.0.0.1\n log . \"Q {name} {type} {proto}\"\n %s\n}\n" % (self.port, serves))
        self.process = subprocess.Popen([self.program, "-conf", corefile, "-dns.port", str(self.port)], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        assert wait_for(lambda: "CoreDNS-" in open(self.log.name).read() or self.process.poll() is not None)
        assert self.process.poll() is None, open(self.log.name).read()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def asked(self):
        found = re.findall(r"Q (\w+)\.test\. (\w+) (\w+)", open(self.log.name, errors="replace").read())
        number = {text: kind for kind, text in KINDS.items()}
        return [(name, number.get(kind), how) for name, kind, how in found]

    def count(self, name, kind=A):
        return sum(1 for n, k, _ in self.asked if (n, k) == (name, kind))

    def set(self, name, *ips, ttl=1):
        self.names[name] = [(ttl, AAAA if ":" in ip else A, ip) for ip in ips]
        time.sleep(0.1)  # the first tests ask at once

    def end(self):
        self.over.set()
        self.thread.join()
        self.stop()
        self.log.close()


@pytest.fixture(scope="session")
def coredns():
    return go_module.build("coredns", MODULE, VERSION, MODULE)


@pytest.fixture
def zone(coredns, block, tmp_path):
    one = CoreDns(coredns, block.take(""), str(tmp_path))
    yield one
    one.end()
