"""The first minute, as a newcomer has it."""
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest


@pytest.fixture
def start(root):
    """start(args...) runs the quickstart; what of it still lives after the test, or after five minutes, is killed."""
    started = []

    def end():
        for process in started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def start(*args, **more):
        process = subprocess.Popen([root + "/tools/quickstart", *args], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True, **more)
        started.append(process)
        return process

    limit = threading.Timer(300, end)
    limit.start()
    yield start
    limit.cancel()
    end()


def test_once(start, sluice, base_port):
    process = start("--once", "--base-port", str(base_port))
    out = process.communicate()[0]
    assert process.returncode == 0, out
    assert out.count("\nok ") == 10 and "WRONG" not in out, out


def test_dynamic_once(start, sluice, base_port):
    process = start("--dynamic", "--once", "--base-port", str(base_port))
    out = process.communicate()[0]
    assert process.returncode == 0, out
    assert out.count("\nok ") == 8 and "WRONG" not in out, out


def test_runs_until_it_is_ended(start, sluice, base_port):
    process = start("--base-port", str(base_port))
    seen = ""
    for line in process.stdout:
        seen += line
        if "Ctrl-C ends everything" in line:
            break
    assert "curl -i http://127.0.0.1:%d/hello" % base_port in seen, seen
    with urllib.request.urlopen("http://127.0.0.1:%d/hello" % base_port, timeout=5) as answer:
        assert answer.read() == b"Hello from Sluice\n"
    process.terminate()
    process.stdout.read()
    assert process.wait(30) == 143
    deadline = time.monotonic() + 20     # everything it started has ended
    for port in range(base_port, base_port + 4):
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)):
                    break
            assert time.monotonic() < deadline, "port %d is still open" % port
            time.sleep(0.05)


def test_a_port_in_use(start, sluice, base_port):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", base_port + 1))
        taken.listen()
        process = start("--once", "--base-port", str(base_port))
        out = process.communicate()[0]
    assert process.returncode == 1 and "port %d is in use" % (base_port + 1) in out, out


def test_says_what_went_wrong(start, root, base_port):
    """A proxy that is not one: the quickstart fails, and shows the proxy's own words."""
    fake = os.path.join(root, "build", "quickstart-fake")
    with open(fake, "w") as f:
        f.write("#!/bin/sh\necho 'no such thing' >&2\nexit 1\n")
    os.chmod(fake, 0o755)
    process = start("--once", "--base-port", str(base_port), env={**os.environ, "SLUICE": fake})
    out = process.communicate()[0]
    assert process.returncode == 1 and "no such thing" in out, out
