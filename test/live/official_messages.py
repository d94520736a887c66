"""JSON of admin pages read as the official messages, as istioctl does: a wrong name or shape is an error."""
import importlib
import json
import pkgutil

import envoy
import udpa
import xds
from google.protobuf import descriptor_pool, empty_pb2, json_format, message_factory  # noqa: F401

PREFIX = "type.googleapis.com/"


def know_all():
    """Whatever an Any may hold is known from then on."""
    for package in (envoy, udpa, xds):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if module.name.endswith("_pb2"):
                importlib.import_module(module.name)


def read(name, value):
    """The message of that name."""
    pool = descriptor_pool.Default()
    kind = pool.FindMessageTypeByName(name)
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return json_format.ParseDict(value, make(kind)(), descriptor_pool=pool)


def known(value):
    """The same with google.protobuf.Empty for what no message of Envoy's is (Istio's own): its reader passes over them."""
    if isinstance(value, list):
        return [known(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("@type", "").removeprefix(PREFIX)
    try:
        if kind:
            descriptor_pool.Default().FindMessageTypeByName(kind)
    except KeyError:
        return {"@type": PREFIX + "google.protobuf.Empty"}
    return {key: known(one) for key, one in value.items()}


def read_dump(text):
    """{name of the message: message} of a /config_dump."""
    out = {}
    for part in json.loads(text)["configs"]:
        part = known(part)
        name = part.pop("@type").removeprefix(PREFIX)
        out[name.rpartition(".")[2]] = read(name, part)
    return out
