"""What the corpora of hostile input share: cases out of files, several proxies side by side, the verdict."""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../../tools/suite"))
from once_more import believed  # noqa: E402


def arguments(parser, corpus, jobs):
    """The options that both runners have."""
    files = [os.path.join(HERE, corpus, name) for name in ("open.jsonl", "neighbours.jsonl")]
    parser.add_argument("--cases", nargs="+", default=files)
    parser.add_argument("--every", type=int, default=1, help="only each N-th case")
    parser.add_argument("--id", type=lambda s: set(s.split(",")), help="only these cases")
    parser.add_argument("--jobs", type=int, default=jobs, help="proxies side by side; a case is mostly waiting")
    parser.add_argument("--json", help="write the results to this file")


def chosen(options):
    cases = []
    for name in options.cases:
        with open(name) as f:
            cases += [json.loads(line) for line in f]
    cases = [c for c in cases[::options.every] if not options.id or c["id"] in options.id]
    return cases or sys.exit("no such case")


def play(cases, jobs, start):
    """(results, how the proxies ended: None is well). start(cases, out) -> (proxy, the runner's process, which writes to `out`)"""
    results, ends = [], []
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        jobs = min(jobs, len(cases))
        outs = [os.path.join(folder, str(k)) for k in range(jobs)]
        running = [(out, *start(cases[k::jobs], out)) for k, out in enumerate(outs)]
        for out, proxy, runner in running:
            runner.wait()
            proxy.__exit__()
            ends.append(proxy.failure)
            if os.path.exists(out):
                with open(out) as f:
                    results += json.load(f)
            else:
                ends.append("a runner ended with status %d" % runner.returncode)
    return results, ends


def judge(options, cases, start, show):
    """Plays the cases, prints what failed (show(result) -> details) and the closing line; ends with the status."""
    results, ends = play(cases, options.jobs, start)
    results = {r["id"]: r for r in results}

    def again(names):
        now, more = play([c for c in cases if c["id"] in names], 1, start)
        results.update({r["id"]: r for r in now})
        ends.extend(more)
        return [name for name in names if not results[name]["ok"]]
    first = {name: "%s\n%s" % (r["why"], show(r)) for name, r in results.items() if not r["ok"]}
    believed(first, again, why=first)
    results = list(results.values())
    for r in results:
        if not r["ok"]:
            print("FAIL %-28s %s\n     %s" % (r["id"], r["why"][:300], show(r)))
    for end in filter(None, ends):
        print("FAIL " + end)
    if options.json:
        with open(options.json, "w") as f:
            json.dump(results, f, indent=1)
    failed = sum(not r["ok"] for r in results) + sum(map(bool, ends))
    print("%d passed, %d failed" % (len(results) + len(ends) - failed, failed))
    sys.exit(1 if failed else 0)
