"""From what a proxy answered to what a recording shows: the same for a live run and for one in the simulation."""
import json
import re

from compare import listed, mask_groups, pick
from wire import show


def admin_result(spec, got):
    """got: an answer of the admin page with its bytes in raw; or how the connection ended."""
    if "status" not in got:
        return {"client": got}
    out = {"status": got["status"]}
    if spec.get("headers"):
        out["headers"] = got["headers"]
    else:
        out["content_type"] = dict(map(tuple, got["headers"])).get("content-type")
    text = got["raw"].decode("utf-8", "replace")
    if "json" in spec:
        try:
            out["json"] = pick(json.loads(text), spec["json"])
        except ValueError:
            out["json"] = "not JSON"
    elif "keep" in spec:
        keep = re.compile(spec["keep"])
        lines = [line for line in text.splitlines() if keep.search(line)]
        out["lines"] = sorted(lines) if spec.get("sort") else lines
    elif spec.get("body_shown", True):
        out["body"] = show(got["raw"], 20000)
    return out


def read_stats(page, match, text=False):
    """The numbers of /stats whose names match; with `text` also the texts."""
    out, want = {}, re.compile(match)
    for line in page.splitlines():
        name, _, value = line.partition(": ")
        if want.search(name):
            if re.fullmatch(r"-?\d+", value):
                out[name] = int(value)
            elif text and value.startswith('"'):
                out[name] = value
    return out


def stats_result(spec, values, histograms):
    """histograms: the page of all of them as JSON, when the step wants them."""
    if spec.get("nonzero"):
        values = {k: v for k, v in values.items() if v != 0}
    out = {"stats": dict(sorted(values.items()))}
    if spec.get("histograms"):
        found = pick(json.loads(histograms), "stats[*].histograms") or []
        flat = [h for part in found if part for h in (part if isinstance(part, list) else part.get("details", []))]
        out["histograms"] = {h["name"]: max([b["cumulative"] for b in h.get("buckets", h.get("totals", []))] or [0])
                             for h in flat if isinstance(h, dict) and re.search(spec["match"], h.get("name", ""))}
    return out


def log_result(case, spec, lines):
    """lines: bytes, without their ends."""
    out = []
    for line in lines:
        text = line.decode("utf-8", "replace")
        for pattern in listed(case.get("mask_log")):
            text = mask_groups(pattern, text)
        try:
            out.append(json.loads(text) if text.startswith("{") else text)
        except ValueError:
            out.append(text)
    return {"log": sorted(out, key=str) if spec.get("sort") else out}


def repeat_result(spec, clients, at):
    """clients: what each time came back; at: how many requests each origin got."""
    counts = {}
    for got in clients:
        key = str(got.get("status", got.get("ended")))
        if spec.get("by") == "body":
            key += " " + str(got.get("body")).strip()
        elif spec.get("by"):
            key += " " + str(dict(map(tuple, got.get("headers", []))).get(spec["by"]))
        counts[key] = counts.get(key, 0) + 1
    out = {"times": int(spec["times"]), "counts": dict(sorted(counts.items())), "at": at}
    if spec.get("tolerance"):
        out["tolerance"] = spec["tolerance"]
    return {"repeat": out}
