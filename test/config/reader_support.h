// What every test of the reader needs: a message, read from a text, with its places and findings.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "config/validation.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"

namespace sluice::config {

// Thread: the test's.
template <typename T>
struct Read {
  T message;
  SourceMap map;
  Findings findings;

  bool ok() const { return findings.ok(); }
  // "line:col: field: text", as they stand after sorting.
  std::vector<std::string> errors() {
    findings.sort();
    std::vector<std::string> out;
    for (const ConfigError& error : findings.errors()) {
      ConfigError shown = error;
      shown.file = "f";
      out.push_back(shown.to_string().substr(2));
    }
    return out;
  }
  std::string error() { return ok() ? std::string("(none)") : errors().front(); }
};

template <typename T = envoy::config::bootstrap::v3::Bootstrap>
std::unique_ptr<Read<T>> read(std::string_view text, Format format = Format::Yaml, const ReadOptions& options = {}) {
  auto out = std::make_unique<Read<T>>();
  read_text(format, text, "f", out->message, out->map, out->findings, options);
  return out;
}

template <typename T = envoy::config::bootstrap::v3::Bootstrap>
std::unique_ptr<Read<T>> read_and_validate(std::string_view text) {
  auto out = read<T>(text);
  validate(out->message, out->map, out->findings);
  return out;
}

}  // namespace sluice::config
