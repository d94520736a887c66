// CustomTag: a named value of an exchange that the configuration asks for, in spans and in the entries of access logs.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/type/tracing/v3/custom_tag.proto
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/facts.h"
#include "format/formatter.h"

namespace sluice::model {

// Immutable. Thread: any.
struct CustomTag {
  enum class From : uint8_t { kText, kHeader, kMetadata, kFormat };
  std::string name;
  From from = From::kText;
  std::string text;    // of kText; else what stands for a value that is not there: empty, the tag is left out
  std::string header;  // lower case
  const Metadata* format::Facts::*metadata = nullptr;
  std::string space;
  std::vector<std::string> path;
  std::optional<format::Formatter> format;
};

// Appends the value of the tag; nothing when it is left out.
void append_value(std::string& to, const CustomTag& tag, const format::Facts& facts);

}  // namespace sluice::model
