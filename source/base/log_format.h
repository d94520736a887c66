// The look of the application log's lines: --log-format, or application_log_config of the bootstrap, in the words of
// spdlog's patterns.
// https://github.com/gabime/spdlog/wiki/3.-Custom-formatting
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"

namespace sluice::log {

enum class Escapes : uint8_t { kNone, kControls };

inline constexpr std::string_view kDefaultFormat = "[%Y-%m-%d %T.%e][%t][%l][%n] %v";

// An error names the first flag that is unknown. Thread: any.
Result<void> check_format(std::string_view pattern);
// The same, and lines look so from now on. The place in the source (%s %g %# %! %@) is not kept: it is empty.
// Before other threads log. Thread: main.
Result<void> set_format(std::string_view pattern, Escapes escapes);

// Text as between the quotes of a JSON string, or of C: \n for a line feed.
std::string escape_controls(std::string_view text);

namespace internal {
struct Line {
  Level level;
  Component component;
  std::string_view text;
  timespec time;  // UTC
  int64_t thread;
  int64_t process;
};
// Without the line's end. Thread: any.
std::string format_line(const Line& line);
}  // namespace internal

}  // namespace sluice::log
