"""Prints a FileDescriptorProto as a .proto file: the facts (names, numbers, types, rules), no comments."""
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

# The custom options that say something about the meaning of a configuration. All others are dropped, and with them
# the files that define them.
KEPT_OPTIONS = {
    "validate.rules", "validate.required", "validate.disabled", "validate.ignored",
    "udpa.annotations.sensitive",
    "envoy.annotations.deprecated_at_minor_version", "envoy.annotations.disallowed_by_default",
    "envoy.annotations.deprecated_at_minor_version_enum", "envoy.annotations.disallowed_by_default_enum",
}
# Standard options that change what is parsed or what is deprecated.
KEPT_PLAIN = {"deprecated", "packed", "allow_alias", "message_set_wire_format"}

SCALARS = {
    Field.TYPE_DOUBLE: "double", Field.TYPE_FLOAT: "float", Field.TYPE_INT64: "int64", Field.TYPE_UINT64: "uint64",
    Field.TYPE_INT32: "int32", Field.TYPE_FIXED64: "fixed64", Field.TYPE_FIXED32: "fixed32", Field.TYPE_BOOL: "bool",
    Field.TYPE_STRING: "string", Field.TYPE_BYTES: "bytes", Field.TYPE_UINT32: "uint32",
    Field.TYPE_SFIXED32: "sfixed32", Field.TYPE_SFIXED64: "sfixed64", Field.TYPE_SINT32: "sint32",
    Field.TYPE_SINT64: "sint64",
}


def json_name(name):
    """The lowerCamel name that protoc gives a field; only another one has to be written."""
    parts = name.split("_")
    return parts[0] + "".join(p[:1].upper() + p[1:] for p in parts[1:])


def kept_options(options):
    """(name as written in a .proto file, value, descriptor) of every option that we keep, in a stable order."""
    out = []
    for field, value in options.ListFields():
        if field.is_extension:
            if field.full_name in KEPT_OPTIONS:
                out.append((f"({field.full_name})", value, field))
        elif field.name in KEPT_PLAIN:
            out.append((field.name, value, field))
    return sorted(out, key=lambda o: o[0])


def option_value(value, field):
    if field.message_type is not None:
        return "{" + text_format.MessageToString(value, as_one_line=True).strip() + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + text_format.text_encoding.CEscape(value.encode(), False) + '"'
    return str(value)


class Printer:
    """Prints one file. `used` collects the types and options that it needs, so that the imports can follow."""

    def __init__(self, file):
        self.file = file
        self.proto2 = file.syntax in ("", "proto2")
        self.lines = []
        self.used_types = set()
        self.used_options = set()

    def put(self, depth, text):
        self.lines.append("  " * depth + text if text else "")

    def type_name(self, full):
        self.used_types.add(full)
        prefix = f".{self.file.package}."
        return full[len(prefix):] if full.startswith(prefix) else full

    def field_type(self, field):
        return SCALARS.get(field.type) or self.type_name(field.type_name)

    def note(self, options):
        kept = kept_options(options)
        self.used_options.update(f.full_name for _, _, f in kept if f.is_extension)
        return kept

    def inline(self, options, extra=()):
        parts = list(extra) + [f"{n} = {option_value(v, f)}" for n, v, f in self.note(options)]
        return f" [{', '.join(parts)}]" if parts else ""

    def statements(self, depth, options):
        for name, value, field in self.note(options):
            self.put(depth, f"option {name} = {option_value(value, field)};")

    def field(self, depth, field, maps, in_oneof=False):
        extra = []
        if field.json_name and field.json_name != json_name(field.name):
            extra.append(f'json_name = "{field.json_name}"')
        if field.HasField("default_value"):
            quoted = field.type in (Field.TYPE_STRING, Field.TYPE_BYTES)
            extra.append("default = " + (f'"{field.default_value}"' if quoted else field.default_value))
        if field.type_name in maps:
            key, value = maps[field.type_name].field
            kind = f"map<{self.field_type(key)}, {self.field_type(value)}>"
        else:
            kind = self.field_type(field)
            if field.label == Field.LABEL_REPEATED:
                kind = "repeated " + kind
            elif field.label == Field.LABEL_REQUIRED:
                kind = "required " + kind
            elif (self.proto2 and not in_oneof) or field.proto3_optional:
                kind = "optional " + kind
        self.put(depth, f"{kind} {field.name} = {field.number}{self.inline(field.options, extra)};")

    def ranges(self, depth, item, inclusive, top):
        spans = []
        for r in item.reserved_range:
            last = r.end if inclusive else r.end - 1
            spans.append(str(r.start) if last == r.start else f"{r.start} to {'max' if last >= top else last}")
        if spans:
            self.put(depth, f"reserved {', '.join(spans)};")
        if item.reserved_name:
            self.put(depth, "reserved " + ", ".join(f'"{n}"' for n in item.reserved_name) + ";")

    def enum(self, depth, enum):
        self.put(depth, f"enum {enum.name} {{")
        self.statements(depth + 1, enum.options)
        self.ranges(depth + 1, enum, True, 2**31 - 1)
        for value in enum.value:
            self.put(depth + 1, f"{value.name} = {value.number}{self.inline(value.options)};")
        self.put(depth, "}")

    def message(self, depth, message, scope):
        full = f"{scope}.{message.name}"
        maps = {f"{full}.{n.name}": n for n in message.nested_type if n.options.map_entry}
        self.put(depth, f"message {message.name} {{")
        self.statements(depth + 1, message.options)
        self.ranges(depth + 1, message, False, 2**29 - 1)
        for r in message.extension_range:
            self.put(depth + 1, f"extensions {r.start} to {'max' if r.end >= 2**29 else r.end - 1};")
        for enum in message.enum_type:
            self.enum(depth + 1, enum)
        for nested in message.nested_type:
            if not nested.options.map_entry:
                self.message(depth + 1, nested, full)
        self.members(depth + 1, message, maps)
        self.extensions(depth + 1, message.extension)
        self.put(depth, "}")

    def members(self, depth, message, maps):
        done = set()
        for field in message.field:
            if not field.HasField("oneof_index") or field.proto3_optional:
                self.field(depth, field, maps)
                continue
            if field.oneof_index in done:
                continue
            done.add(field.oneof_index)
            oneof = message.oneof_decl[field.oneof_index]
            self.put(depth, f"oneof {oneof.name} {{")
            self.statements(depth + 1, oneof.options)
            for member in message.field:
                if member.HasField("oneof_index") and member.oneof_index == field.oneof_index:
                    self.field(depth + 1, member, maps, in_oneof=True)
            self.put(depth, "}")

    def extensions(self, depth, fields):
        for field in fields:
            self.put(depth, f"extend {self.type_name(field.extendee)} {{")
            self.field(depth + 1, field, {})
            self.put(depth, "}")

    def service(self, service):
        self.put(0, f"service {service.name} {{")
        for m in service.method:
            ask = ("stream " if m.client_streaming else "") + self.type_name(m.input_type)
            answer = ("stream " if m.server_streaming else "") + self.type_name(m.output_type)
            self.put(1, f"rpc {m.name}({ask}) returns ({answer});")
        self.put(0, "}")

    def print(self, header, imports_of):
        for enum in self.file.enum_type:
            self.put(0, "")
            self.enum(0, enum)
        for message in self.file.message_type:
            self.put(0, "")
            self.message(0, message, f".{self.file.package}")
        if self.file.extension:
            self.put(0, "")
            self.extensions(0, self.file.extension)
        for service in self.file.service:
            self.put(0, "")
            self.service(service)
        top = [f"// {line}" for line in header]
        top += ["", f'syntax = "{"proto2" if self.proto2 else "proto3"}";', "", f"package {self.file.package};", ""]
        imports = imports_of(self.used_types, self.used_options)
        top += [f'import "{name}";' for name in imports] + ([""] if imports else [])
        if not self.file.extension:  # see "Small code" in api/README.md
            top += ["option optimize_for = CODE_SIZE;"]
        return "\n".join(top + self.lines) + "\n"
