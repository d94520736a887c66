"""Starts a proxy on a configuration, waits until it is ready, and ends it: what every corpus of this folder needs."""
import os
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(ROOT, "test/conformance/behaviour"))
from proc import small_pages  # noqa: E402
from runner import Ports, die_with_parent  # noqa: E402,F401  (ports that no other run on this machine uses)


class Proxy:
    """with Proxy(binary, template, port=1, admin=2) as p: ...   p.failure says afterwards what was wrong with its end."""

    def __init__(self, binary, template, **ports):
        self.binary, self.admin, self.failure = os.path.abspath(binary), ports["admin"], None
        self.dir = tempfile.mkdtemp(prefix="sluice-conformance-")
        self.config, self.log = os.path.join(self.dir, "config.yaml"), os.path.join(self.dir, "log")
        with open(self.config, "w") as f:
            f.write(string.Template(template).substitute(ports))

    def __enter__(self):
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [self.binary, "-c", self.config, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, preexec_fn=self.before)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen("http://127.0.0.1:%d/ready" % self.admin, timeout=1):
                    return self
            except OSError:
                time.sleep(0.05)
        status = self.process.poll()
        text = self.text()
        self.__exit__()
        sys.exit("the proxy %s:\n%s" % ("is not ready" if status is None else "ended with status %d" % status, text))

    @staticmethod
    def before():
        die_with_parent()
        small_pages()

    def text(self, most=4000):
        with open(self.log, errors="replace") as f:
            return f.read()[-most:]

    def __exit__(self, *_):
        if self.process.poll() is not None:
            self.failure = "the proxy died with status %d\n%s" % (self.process.returncode, self.text())
        else:
            self.process.send_signal(signal.SIGTERM)
            try:
                if self.process.wait(20):       # a sanitizer's report at the end is a status, too
                    self.failure = "the proxy ended with status %d\n%s" % (self.process.returncode, self.text())
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                self.failure = "the proxy did not end after SIGTERM"
        shutil.rmtree(self.dir, ignore_errors=True)
