"""The list of everything that ./tools/test runs (tools/test says how to call it)."""
import argparse
import glob
import os
import sys

from steps import ROOT, Steps, by_status

PYTHON = sys.executable
BEHAVIOUR, HTTP1, HTTP2, XDS, ISTIO, OTHERS = (
    "test/conformance/%s/run" % corpus for corpus in ("behaviour", "http1", "http2", "xds", "istio", "envoy_configs"))
CONFIGS, QUICKSTART, DOCS = "test/tools/configs_test.py", "test/tools/quickstart_test.py", "test/tools/docs_test.py"

BUILD = dict(count=by_status, limit=2400)


def pytest(*paths):
    return [PYTHON, "tools/suite/python_tests.py", *paths]


def build(preset, targets=()):
    """Configure (with the Python that has the official descriptors, for test/api) and build: everything, or these."""
    wanted = " --target " + " ".join(targets) if targets else ""
    return ["bash", "-c", "cmake --preset %s -DSLUICE_PYTHON=%s && cmake --build build/%s -j2%s" % (preset, PYTHON, preset, wanted)]


def threaded():
    """The folders of test/ whose C++ tests start threads. Of the others, where all is one thread, TSan has nothing to say."""
    def starts(path):
        with open(path) as f:
            return "std::thread" in f.read()
    return sorted({os.path.basename(os.path.dirname(path)) for path in glob.glob(os.path.join(ROOT, "test/*/*_test.cc")) if starts(path)})


def sanitized(preset):
    """The build with a sanitizer: C++ tests, and hostile input against its proxy."""
    environment = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_init_order=1", "UBSAN_OPTIONS": "print_stacktrace=1",
                   "TSAN_OPTIONS": "second_deadlock_stack=1:suppressions=%s/test/tsan.supp" % ROOT}
    made, tsan = "build " + preset, preset == "tsan"
    folders = threaded() if tsan else []
    targets = ["sluice", *(folder + "_test" for folder in folders)] if tsan else []
    chosen = ["-R", "^(%s)$" % "|".join(folders)] if tsan else []
    # Behaviour has what threads tell each other: updates, health, drains.
    threads = [("behaviour, a third, tsan", [PYTHON, BEHAVIOUR, "--every", "3", "--proxy", "build/tsan/sluice"],
                dict(needs=[made], env=environment)),
               ("xDS, tsan", [PYTHON, XDS, "--proxy", "build/tsan/sluice"], dict(needs=[made], env=environment))]
    same = [("simulation as recorded, asan", [PYTHON, "tools/suite/same_traces.py", "asan"], dict(needs=[made], env=environment))]
    return [(made, build(preset, targets), BUILD),
            ("C++ tests%s, %s" % (" with threads" if tsan else "", preset), [PYTHON, "tools/suite/cpp_tests.py", preset, *chosen],
             dict(needs=[made], env=environment)),
            ("hostile HTTP/1, " + preset, [PYTHON, HTTP1, "--proxy", "build/%s/sluice" % preset], dict(needs=[made], env=environment)),
            ("hostile HTTP/2, " + preset, [PYTHON, HTTP2, "--memory-factor", "2", "--proxy", "build/%s/sluice" % preset], dict(needs=[made], env=environment)),
            ("hostile HTTP/2 over TLS, " + preset, [PYTHON, HTTP2, "--tls", "--memory-factor", "3", "--proxy", "build/%s/sluice" % preset],
             dict(needs=[made], env=environment))] + (threads if tsan else same)


def clang():
    """The simulation, and nothing else, built by clang: what it plays is what g++ plays, whose hashes are recorded. (Not in CI:
    it compiles nearly everything once more. There g++ is compared with the record that clang was compared with.)"""
    folder = "build/clang"
    make = ("./tools/install_packages fuzz && cmake -S . -B %s -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O0 -g0' "
            "-DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 -DSLUICE_PYTHON=%s && cmake --build %s -j2 --target sim" % (
                folder, PYTHON, folder))
    return [("build the simulation by clang", ["bash", "-c", make], dict(BUILD, limit=5400)),
            ("simulation as recorded, clang", [PYTHON, "tools/suite/same_traces.py", "clang"], dict(needs=["build the simulation by clang"]))]


def steps(options):
    release, on = "build release", dict(needs=["build release"])
    quick = [
        (release, build("release"), BUILD),
        ("lint", [PYTHON, "tools/lint/rooms.py"], {}),
        ("C++ tests", [PYTHON, "tools/suite/cpp_tests.py", "release"], on),
    ]
    if options.quick:
        return quick + [
            ("hostile HTTP/1, a sample", [PYTHON, HTTP1, "--every", "12"], on),
            ("hostile HTTP/2, a sample", [PYTHON, HTTP2, "--every", "12"], on),
            ("behaviour, a sample", [PYTHON, BEHAVIOUR, "--every", "12"], on)]
    plan = quick + [
        ("Python tests", pytest("test/tools", *("--ignore=" + path for path in [CONFIGS, QUICKSTART, DOCS])), {}),
        ("simulation as recorded", [PYTHON, "tools/suite/same_traces.py", "release"], on),
        ("a mesh, a tenth of it", ["build/release/test/sim/sim", "--mesh", "10"], on),
        ("instructions of a request", [PYTHON, "test/perf/instructions.py"], on),
        ("hostile HTTP/1", [PYTHON, HTTP1], on),
        ("hostile HTTP/2", [PYTHON, HTTP2], on),
        ("hostile HTTP/2 over TLS", [PYTHON, HTTP2, "--tls"], on),
        ("behaviour", [PYTHON, BEHAVIOUR], on),
        ("behaviour, simulated", [PYTHON, BEHAVIOUR, "--simulated"], on),
        ("behaviour, simulated, cut", [PYTHON, BEHAVIOUR, "--simulated", "--cuts", "2"], on),
        ("behaviour, simulated, with probes", [PYTHON, BEHAVIOUR, "--simulated", "--hooks", "1"], on),
        ("xDS", [PYTHON, XDS], on),
        ("Istio", [PYTHON, ISTIO], on),
        ("configurations of the corpus", [PYTHON, BEHAVIOUR, "--configs"], on),
        ("configurations of others", [PYTHON, OTHERS], on),
        ("cost of configurations", [PYTHON, "test/perf/config_cost.py"], on),
        ("faults and drains", pytest("test/live"), dict(limit=1500, **on)),
        ("configs/", pytest(CONFIGS), on),
        ("quickstart", pytest(QUICKSTART), on),
        ("docs", pytest(DOCS), on),
    ]
    if options.clang:
        plan += clang()
    if options.interop:
        plan += [("programs of others", pytest("test/interop"), dict(limit=2400, **on))]
    for preset in ("asan", "tsan"):
        plan += sanitized(preset) if getattr(options, preset) else []
    return plan


def main():
    p = argparse.ArgumentParser(prog="tools/test", description=__doc__)
    p.add_argument("--quick", action="store_true", help="the inner loop, under a minute")
    p.add_argument("--asan", action="store_true", help="also with ASan and UBSan")
    p.add_argument("--tsan", action="store_true", help="also with TSan")
    p.add_argument("--clang", action="store_true", help="also the simulation built by clang: the same traces")
    p.add_argument("--interop", action="store_true", help="also programs of others, out of their Go modules and packages")
    p.add_argument("--only", metavar="TEXT", help="only the steps whose name has TEXT")
    p.add_argument("--list", action="store_true", help="print the names of the steps")
    options = p.parse_args()
    plan = steps(options)
    if options.only:
        chosen = {name for name, _, _ in plan if options.only in name}
        chosen |= {n for name, _, more in plan if name in chosen for n in more.get("needs", [])}
        plan = [step for step in plan if step[0] in chosen]
    names = [name for name, _, _ in plan]
    if options.list or not plan:
        print("\n".join(names) or "no such step")
        sys.exit(not plan)
    os.chdir(ROOT)
    run = Steps(names)
    for name, argv, more in plan:
        run.run(name, argv, **more)
    run.end()


if __name__ == "__main__":
    main()
