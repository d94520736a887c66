"""Access logs never stop a request: a full disk and a stuck pipe cost lines, which are counted."""
import os
import signal
import time

from rig import TYPE, wait_for


def log_to(path):
    return {"access_log": [{"name": "file", "typed_config": {"@type": TYPE + "access_loggers.file.v3.FileAccessLog", "path": str(path), "log_format":
            {"text_format_source": {"inline_string": "%REQ(X-MARK)% " + "x" * 2000 + "\n"}}}}]}


def test_a_stuck_pipe_drops_lines(start, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opens, and never reads
    proxy = start(hcm=log_to(path), args=["--file-flush-interval-msec", "50"])
    connection = proxy.connect()
    connection.settimeout(10)
    batch = b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n" * 100
    answered, dropped = 0, 0
    end = time.monotonic() + 60
    while not dropped and time.monotonic() < end:  # the queue fills up, then lines go lost
        connection.sendall(batch)
        answered += 100
        got = b""
        while got.count(b"HTTP/1.1 200 OK") < 100:
            got += connection.recv(1 << 20)
        dropped = proxy.stat("filesystem.write_failed") if answered % 2000 == 0 else 0
    print("note: %d requests were answered before the queue of a stuck pipe was full" % answered)
    assert dropped > 0
    assert proxy.get() == (200, b"direct")
    assert proxy.owned() < 300 << 20
    os.close(reader)


def test_a_full_disk_loses_lines_and_nothing_else(start):
    proxy = start(hcm=log_to("/dev/full"), args=["--file-flush-interval-msec", "20"])
    for _ in range(50):
        assert proxy.get() == (200, b"direct")
    assert wait_for(lambda: proxy.stat("filesystem.write_failed") > 0)


def test_sigusr1_opens_logs_again(start, tmp_path):
    path = tmp_path / "log"
    proxy = start(hcm=log_to(path), args=["--file-flush-interval-msec", "20"])
    assert proxy.get()[0] == 200
    assert wait_for(lambda: path.stat().st_size > 0)
    path.rename(tmp_path / "log.1")
    proxy.signal(signal.SIGUSR1)
    assert wait_for(path.exists)
    assert proxy.get()[0] == 200
    assert wait_for(lambda: path.stat().st_size > 0)
    assert (tmp_path / "log.1").read_text().count("\n") == 1
