// The application log (not the access log). A line costs nothing but one load and compare when its level is off.
//
//   SLUICE_LOG(kInfo, kMain, "listening on ", address);
//
// Lines look like Envoy's default format: [time][thread][level][component] text.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/strings.h"

namespace sluice::log {

enum class Level : uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kCritical, kOff };

// Envoy's logger names for the parts we have.
enum class Component : uint8_t {
  kAdmin, kClient, kConfig, kConnection, kFile, kFilter, kHttp, kListener, kMain, kPool, kRouter, kRuntime,
  kUpstream, kCount
};

std::string_view name_of(Level level);
std::string_view name_of(Component component);
// Accepts Envoy's spellings: trace debug info warning|warn error critical off.
Result<Level> parse_level(std::string_view text);

void set_level(Level level);
void set_level(Component component, Level level);
Level level_of(Component component);

// Where lines go: stderr (the default), or a file that is appended to. Error when it cannot be opened.
Result<void> open_file(const std::string& path);
// Opens the same path again, after a rotation (SIGUSR1).
void reopen_file();

namespace internal {
extern std::atomic<Level> levels[static_cast<int>(Component::kCount)];
void write_line(Level level, Component component, std::string_view text);
}  // namespace internal

inline bool enabled(Component component, Level level) {
  return level >= internal::levels[static_cast<int>(component)].load(std::memory_order_relaxed);
}

}  // namespace sluice::log

#define SLUICE_LOG(level, component, ...)                                                                    \
  do {                                                                                                       \
    if (::sluice::log::enabled(::sluice::log::Component::component, ::sluice::log::Level::level)) {          \
      ::sluice::log::internal::write_line(::sluice::log::Level::level, ::sluice::log::Component::component,  \
                                          ::sluice::cat(__VA_ARGS__));                                        \
    }                                                                                                        \
  } while (0)
