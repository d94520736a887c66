"""Every file of configs/ loads; every file of configs/invalid is refused with one message that names its place."""
import glob
import os
import re
import socket
import subprocess

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
GOOD = sorted(p for p in glob.glob(ROOT + "/configs/**/*.yaml", recursive=True) if "/invalid/" not in p and "/dynamic/" not in p)
BAD = sorted(glob.glob(ROOT + "/configs/invalid/*.yaml"))


def run(sluice, *args):
    return subprocess.run([sluice, "-l", "error", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


def refused(done):
    """The one line that says why: anything else on stderr, or another status than 1, fails."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_there_are_examples():
    assert GOOD and len(BAD) >= 10


@pytest.mark.parametrize("path", GOOD, ids=os.path.basename)
def test_an_example_loads(sluice, path):
    done = run(sluice, "--mode", "validate", "-c", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_of_a_directory_is_served(sluice):
    done = subprocess.run([os.path.join(os.path.dirname(sluice), "control_plane"), "--check", ROOT + "/configs/dynamic"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "4 files OK" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("path", BAD, ids=os.path.basename)
def test_an_invalid_configuration_is_refused(sluice, path):
    with open(path) as f:
        wanted = re.findall(r"^# expect: (.*)$", f.read(), re.M)
    assert wanted, "the file does not say what it expects"
    message = refused(run(sluice, "--mode", "validate", "-c", path))
    for pattern in wanted:
        assert re.search(pattern, message), message


def test_a_file_that_is_not_there(sluice, tmp_path):
    assert "nowhere.yaml" in refused(run(sluice, "-c", str(tmp_path / "nowhere.yaml")))


def test_a_flag_that_is_not_there(sluice):
    assert "--no-such-flag" in refused(run(sluice, "--no-such-flag"))


def test_a_port_in_use(sluice, tmp_path, ports):
    port, admin = ports(), ports()
    with open(ROOT + "/configs/quickstart.yaml") as f:
        text = f.read()
    config = tmp_path / "config.yaml"
    config.write_text(text.replace("10000", str(port)).replace("10003", str(admin)))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        message = refused(run(sluice, "-c", str(config), "--concurrency", "1", "--disable-hot-restart"))
    assert "127.0.0.1:%d" % port in message
