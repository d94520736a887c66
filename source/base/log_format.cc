#include "base/log_format.h"

#include <time.h>

#include <cstdio>
#include <utility>
#include <vector>

namespace sluice::log {
namespace {

// A literal text (flag 0), or one of the pattern's flags.
struct Part {
  char flag;
  std::string text;
};

struct Format {
  std::vector<Part> parts;
  Escapes escapes = Escapes::kNone;
};

// What strftime does itself.
constexpr std::string_view kTimeFlags = "aAbBcCdDFHIjmMpRrSTxXyYz";
// ^ and $ would colour a terminal.
constexpr std::string_view kFlags = "vtPnlLefFE_jsg#!@^$";

Format parse(std::string_view pattern) {
  Format out;
  std::string text;
  const auto flush = [&] {
    if (!text.empty()) out.parts.push_back({0, std::exchange(text, {})});
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      text += pattern[i];
      continue;
    }
    const char flag = pattern[++i];
    if (flag == '%') {
      text += '%';
      continue;
    }
    flush();
    out.parts.push_back({flag, {}});
  }
  flush();
  return out;
}

Format& current() {
  static Format format = parse(kDefaultFormat);
  return format;
}

std::string time_text(char flag, const timespec& time) {
  tm parts;
  gmtime_r(&time.tv_sec, &parts);
  const char format[] = {'%', flag, 0};
  char out[64];
  return std::string(out, strftime(out, sizeof(out), format, &parts));
}

std::string padded(long number, int digits) {
  char out[32];
  std::snprintf(out, sizeof(out), "%0*ld", digits, number);
  return out;
}

std::string part_text(const Part& part, const internal::Line& line, Escapes escapes) {
  switch (part.flag) {
    case 0: return part.text;
    case 'v': return escapes == Escapes::kControls ? escape_controls(line.text) : std::string(line.text);
    case '_':
    case 'j': return escape_controls(line.text);
    case 't': return cat(line.thread);
    case 'P': return cat(line.process);
    case 'n': return std::string(name_of(line.component));
    case 'l': return std::string(name_of(line.level));
    case 'L': return std::string(1, static_cast<char>(name_of(line.level)[0] & ~0x20));
    case 'e': return padded(line.time.tv_nsec / 1'000'000, 3);
    case 'f': return padded(line.time.tv_nsec / 1'000, 6);
    case 'F': return padded(line.time.tv_nsec, 9);
    case 'E': return cat(static_cast<int64_t>(line.time.tv_sec));
    case 's':
    case 'g':
    case '#':
    case '!':
    case '@':
    case '^':
    case '$': return {};
    default: return time_text(part.flag, line.time);
  }
}

}  // namespace

std::string escape_controls(std::string_view text) {
  const std::string quoted = json_quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

Result<void> check_format(std::string_view pattern) {
  for (const Part& part : parse(pattern).parts) {
    if (part.flag != 0 && kTimeFlags.find(part.flag) == kTimeFlags.npos && kFlags.find(part.flag) == kFlags.npos) {
      return Error{cat("unknown flag %", part.flag)};
    }
  }
  return {};
}

Result<void> set_format(std::string_view pattern, Escapes escapes) {
  if (Result<void> fine = check_format(pattern); !fine) return fine;
  current() = parse(pattern);
  current().escapes = escapes;
  return {};
}

std::string internal::format_line(const Line& line) {
  const Format& format = current();
  std::string out;
  for (const Part& part : format.parts) {
    out += part_text(part, line, format.escapes);
  }
  return out;
}

}  // namespace sluice::log
