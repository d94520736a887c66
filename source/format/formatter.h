// Formatter: text with command operators (%REQ(X?Y):Z%), compiled once, filled from the facts of one exchange. One
// engine for access logs, headers, local replies and redirects.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/observability/access_log/usage
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/facts.h"
#include "format/json_node.h"
#include "format/operators.h"

namespace sluice::format {

struct ParseOptions {
  // An unset value gives no text in place of "-", and leaves its key out of JSON. Headers are formatted so.
  enum class Unset : uint8_t { kDash, kNothing } unset = Unset::kDash;
  // Formatter extensions that the format names.
  bool req_without_query = false;
};

// Envoy's default access-log format, with its newline.
extern const std::string_view kDefaultFormat;

struct JsonPlan;

// Immutable; formatting takes no memory but what `to` needs to grow. Thread: any.
class Formatter {
 public:
  // Errors say which operator is wrong, where, and why: an unknown one, a missing or superfluous argument ...
  static Result<Formatter> parse(std::string_view text, const ParseOptions& options = {});
  // `root` is a map. Keys come out sorted; the line ends with a newline.
  static Result<Formatter> parse_json(const JsonNode& root, const ParseOptions& options = {});

  void append(std::string& to, const Facts& facts) const;
  std::string format(const Facts& facts) const;

  // The text, when it is always the same: lives as long as this. Null data: it is not.
  std::string_view constant() const;
  // It tells what the exchange took on the client's connection: %DOWNSTREAM_WIRE_BYTES_SENT% and the like.
  bool tells_wire_bytes() const;

 private:
  Formatter() = default;

  ParseOptions::Unset unset_ = ParseOptions::Unset::kDash;
  std::vector<Piece> pieces_;
  std::shared_ptr<const JsonPlan> json_;  // not text but JSON
};

}  // namespace sluice::format
