"""Every flag of Envoy 1.40's command line means the same here, or is refused with a reason; none is unknown."""
import os
import subprocess

import pytest

# As `envoy --help` lists them, each with a value that it takes; None: a switch.
FLAGS = {
    "--admin-address-path": "/dev/null", "--allow-unknown-fields": None, "--allow-unknown-static-fields": None, "--base-id": "3",
    "--base-id-path": "/dev/null", "--component-log-level": "misc:error,upstream:debug", "--concurrency": "2",
    "--config-path": "configs/quickstart.yaml", "--config-yaml": "node: {id: x}", "--cpuset-threads": None, "--disable-extensions": "envoy.x",
    "--disable-hot-restart": None, "--drain-strategy": "immediate", "--drain-time-s": "45", "--enable-core-dump": None,
    "--enable-fine-grain-logging": None, "--enable-mutex-tracing": None, "--file-flush-interval-msec": "1000", "--file-flush-min-size-kb": "8",
    "--hot-restart-version": None, "--ignore-unknown-dynamic-fields": None, "--local-address-ip-version": "v6", "--log-format": "%v",
    "--log-format-escaped": None, "--log-level": "warning", "--log-path": "/dev/null", "--log-stacktrace-single-entry": None,
    "--mode": "validate", "--parent-shutdown-time-s": "60", "--reject-unknown-dynamic-fields": None, "--restart-epoch": "1",
    "--service-cluster": "c", "--service-node": "n", "--service-zone": "z", "--skip-deprecated-logs": None,
    "--skip-hot-restart-on-no-parent": None, "--skip-hot-restart-parent-stats": None, "--socket-mode": "600", "--socket-path": "@x",
    "--stats-tag": "tag:value", "--use-dynamic-base-id": None}
REFUSED = {"--disable-extensions", "--enable-fine-grain-logging"}


def run(sluice, *args):
    return subprocess.run([sluice, *args, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_a_flag_of_envoys(sluice, flag):
    done = run(sluice, flag, *([FLAGS[flag]] if FLAGS[flag] is not None else []))
    if flag in REFUSED:
        assert done.returncode == 1 and "not supported: %s: " % flag in done.stderr, done.stderr
    else:
        assert done.returncode == 0 and not done.stderr, done.stderr


@pytest.mark.parametrize("flag", sorted(f for f in FLAGS if FLAGS[f] is not None and f not in REFUSED))
def test_it_needs_its_value(sluice, flag):
    done = subprocess.run([sluice, flag], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "%s needs a value" % flag in done.stderr, done.stderr


def test_the_list_is_complete(root):
    """Where the program is at hand."""
    peer = root + "/build/peers/envoy-1.40.0/envoy/_bin/envoy"
    if not os.path.exists(peer):
        pytest.skip("tools/peers envoy was not run")
    text = subprocess.run([peer, "--help"], capture_output=True, text=True, timeout=30).stdout
    words = {w.rstrip(",") for line in text.splitlines() if line.startswith("   -") for w in line.split() if w.startswith("--") and len(w) > 3}
    assert words - set(FLAGS) <= {"--ignore_rest", "--version", "--help"}


def test_help_shows_what_is_accepted(sluice):
    text = subprocess.run([sluice, "--help"], capture_output=True, text=True, timeout=30).stdout
    for flag in FLAGS:
        assert (flag in text) == (flag not in REFUSED), flag
