// What gdb_test.py looks at: a buffer and a header map that are known.
#include <string>

#include "base/arena.h"
#include "buffer/buffer.h"
#include "http/header_map.h"

using namespace sluice;

__attribute__((noinline)) void look_here(const buffer::Buffer& body, const buffer::Buffer& empty, const http::HeaderMap& headers) {
  asm volatile("" : : "r"(&body), "r"(&empty), "r"(&headers) : "memory");
}

int main() {
  Owner owner("gdb_subject");
  buffer::SlabPool slabs(owner);
  buffer::Buffer body(slabs), empty(slabs);
  body.append_copy("copied \"text\"\n");
  body.append_borrowed("borrowed text");
  const std::string large(1000, 'x');
  body.append_borrowed(large);

  ChunkPool chunks(owner);
  Arena arena(chunks);
  http::HeaderMap headers(arena);
  headers.add(http::Token::kHost, "example.test");
  headers.add("x-first", "1");
  headers.add("x-empty", "");
  look_here(body, empty, headers);
}
