"""gdb printers for our types.   gdb -x tools/gdb/sluice.py ...   (.gdbinit does it for a gdb started in the repository)

Buffer      size, and each fragment with its kind and the start of its text
HeaderMap   the fields in order, as name: value
"""
import gdb
import gdb.printing

SHOWN = 200     # bytes of a text


def text(data, size):
    size = int(size)
    if not size:
        return '""'
    try:
        raw = gdb.selected_inferior().read_memory(int(data), min(size, SHOWN)).tobytes()
    except gdb.MemoryError:
        return "<no memory at %#x>" % int(data)
    return '"%s"%s' % (raw.decode("latin-1").encode("unicode_escape").decode().replace('"', '\\"'), "..." if size > SHOWN else "")


class BufferPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "Buffer of %d bytes in %d fragments" % (self.value["size_"], self.value["count_"])

    def children(self):
        first = self.value["list_"] + self.value["first_"]
        for i in range(int(self.value["count_"])):
            fragment = (first + i).dereference()
            kind = "owned" if int(fragment["slab"]) else "borrowed"
            yield "[%d]" % i, "%s %d: %s" % (kind, fragment["size"], text(fragment["data"], fragment["size"]))

    def display_hint(self):
        return None


class HeaderMapPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "HeaderMap of %d fields" % self.value["size_"]

    def children(self):
        for i in range(int(self.value["size_"])):
            field = (self.value["fields_"] + i).dereference()
            name = text(field["name_data"], field["name_size"])[1:-1]
            yield name, text(field["value_data"], field["value_size"])


printers = gdb.printing.RegexpCollectionPrettyPrinter("sluice")
printers.add_printer("Buffer", "^sluice::buffer::Buffer$", BufferPrinter)
printers.add_printer("HeaderMap", "^sluice::http::HeaderMap$", HeaderMapPrinter)
gdb.printing.register_pretty_printer(gdb.current_objfile(), printers, replace=True)
