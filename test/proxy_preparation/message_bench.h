// What the tests of this folder share: messages made of literals, and heads as text to compare.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/owner.h"
#include "base/random.h"
#include "http/message.h"
#include "model/http_plan.h"
#include "net/address.h"

namespace sluice::proxy::test {

using Lines = std::vector<std::pair<std::string, std::string>>;

// Field lines, ordered by name (lines of one name keep their order): Envoy's order is not ours.
inline Lines lines_of(const http::HeaderMap& fields) {
  Lines lines;
  for (const http::HeaderField& field : fields) lines.emplace_back(field.name(), field.value());
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return lines;
}

// Memory for one message. Thread: its test's.
struct Bench {
  Owner owner{"test"};
  ChunkPool chunks{owner};
  Arena arena{chunks};
  SeededRandom random{7};

  // A GET as the codec gives it. `lines` live as long as the bench (they are copied).
  http::RequestHeaders* request(std::string_view path, const Lines& lines = {}) {
    auto* request = arena.create<http::RequestHeaders>(arena);
    request->method = "GET";
    request->path = arena.copy(path);
    request->authority = "example.test";
    for (const auto& [name, value] : lines) request->fields.add_copy(name, value);
    return request;
  }
  http::ResponseHeaders* response(uint16_t status, const Lines& lines = {}) {
    auto* response = arena.create<http::ResponseHeaders>(arena);
    response->status = status;
    for (const auto& [name, value] : lines) response->fields.add_copy(name, value);
    return response;
  }
};

inline net::Address ip(std::string_view text, uint16_t port = 1234) { return *net::Address::from_ip(text, port); }

}  // namespace sluice::proxy::test
