"""The gdb printers, on a program with known values."""
import glob
import subprocess


def test_buffer_and_header_map(root, tmp_path):
    program = str(tmp_path / "subject")
    sources = [p for name in ("base/*", "buffer/*", "http/header_map", "http/token") for p in glob.glob("%s/source/%s.cc" % (root, name))]
    subprocess.run(["g++", "-std=c++20", "-O0", "-g", "-I" + root + "/source", root + "/test/tools/gdb_subject.cc", *sources, "-o", program], check=True)
    out = subprocess.run(["gdb", "-nx", "-batch", "-x", root + "/tools/gdb/sluice.py", "-ex", "set print pretty off", "-ex", "break look_here", "-ex", "run",
                          "-ex", "print body", "-ex", "print empty", "-ex", "print headers", program],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120).stdout
    assert 'Buffer of 1027 bytes in 3 fragments = {[0] = owned 14: "copied \\"text\\"\\n", [1] = borrowed 13: "borrowed text", ' in out, out
    assert "[2] = borrowed 1000: \"" + "x" * 200 + '"...}' in out, out
    assert "Buffer of 0 bytes in 0 fragments\n" in out, out
    assert 'HeaderMap of 3 fields = {host = "example.test", x-first = "1", x-empty = ""}' in out, out
