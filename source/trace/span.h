// Span: one piece of work of a trace, as exporters tell it to collectors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "trace/context.h"

namespace sluice::trace {

enum class SpanKind : uint8_t { kServer, kClient };

struct Tag {
  std::string_view name;  // lives as long as the configuration
  std::string value;
};

// In the arena of its exchange. Thread: its exchange's.
struct Span {
  Context context;
  SpanKind kind = SpanKind::kServer;
  bool sampled = false;  // it will be told
  std::string name;
  WallTime start;
  Duration duration{0};
  std::vector<Tag> tags;  // filled at the end, and only when it is sampled

  void tag(std::string_view tag_name, std::string_view value) { tags.push_back({tag_name, std::string(value)}); }
};

}  // namespace sluice::trace
