// Value: what a layer says about one key, in every reading that it has.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/operations/runtime
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::runtime {

// Of everything that happens. Thread: any.
struct Share {
  uint32_t numerator = 0;
  uint32_t denominator = 100;  // 100, 10,000 or 1,000,000

  bool includes(uint64_t random) const { return random % denominator < numerator; }
};

// A reading that the value does not have leaves the default of who asks for it in force. Thread: any.
struct Value {
  std::string text;  // as /runtime shows it
  std::optional<double> number;
  std::optional<bool> boolean;
  std::optional<Share> share;

  // 1.9 is read as 1; none below zero.
  std::optional<uint64_t> whole() const;
};

using Values = std::map<std::string, Value, std::less<>>;

Value value_of_number(double number);
Value value_of_boolean(bool boolean);
// A text of the configuration: a number (also 0x10), or true or false in any case.
Value value_of_text(std::string_view text);
// A text of a file or of /runtime_modify: as above, or a share: `{numerator: 5, denominator: MILLION}`, with or without
// braces, on one line or on two.
Value value_of_override(std::string_view text);
// By the name of a DenominatorType; none for other names.
std::optional<uint32_t> denominator_of(std::string_view name);

}  // namespace sluice::runtime
