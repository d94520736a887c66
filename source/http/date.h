// HTTP dates (RFC 9110 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace sluice::http {

inline constexpr size_t kDateSize = 29;

// Writes kDateSize bytes.
void write_date(WallTime time, char* to);

// The date of the current second, formatted once per second. Thread: its owner's.
class DateText {
 public:
  // Valid until the next call.
  std::string_view at(WallTime now) {
    const int64_t second = now.us / 1'000'000;
    if (second != second_) {
      write_date(now, text_.data());
      second_ = second;
    }
    return {text_.data(), text_.size()};
  }

 private:
  int64_t second_ = INT64_MIN;
  std::array<char, kDateSize> text_{};
};

}  // namespace sluice::http
