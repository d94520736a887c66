// IntegerRange: a half-open interval of whole numbers, tested on text.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::match {

// Immutable. Thread: any.
struct IntegerRange {
  int64_t start = 0;  // included
  int64_t end = 0;    // excluded

  // `text` is a whole decimal number within the range; a sign (also '+') and leading zeros are fine, anything else in
  // the text, or a number beyond 64 bits, is not.
  bool matches(std::string_view text) const;
};

}  // namespace sluice::match
