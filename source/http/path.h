// Paths and hosts of requests: taking them apart, and making them canonical. Pure functions on text; those that may
// change it take an Arena and use it only when something changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"

namespace sluice::http {

struct RequestHeaders;

// A request target cut at its first '?'. A fragment, when one was let through, belongs to neither. Views into the
// target.
struct Target {
  std::string_view path;
  std::string_view query;  // without the '?'
};
Target split_target(std::string_view target);

// The value of the first parameter of that name, raw (nothing is decoded): empty for "k" and "k=", none when absent.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name);

// The path without the ";..." parts of its segments: "/a;v=1/b" is "/a/b".
std::string_view without_parameters(std::string_view path, Arena& arena);

// ---- normalisation. All take a whole target and leave its query alone.

// Dot segments resolved, '\' to '/', escapes of unreserved characters decoded, characters that may not stand in a path
// escaped: RFC 3986 6.2.2 with the choices of the URL standard that Envoy took over. None: the path holds a NUL.
std::optional<std::string_view> normalize_path(std::string_view target, Arena& arena);
// "//" to "/".
std::string_view merge_slashes(std::string_view target, Arena& arena);
// %2F to '/', %5C to '\'.
std::string_view unescape_slashes(std::string_view target, Arena& arena);

enum class EscapedSlashes : uint8_t { kKeep, kReject, kUnescapeAndRedirect, kUnescapeAndForward };
enum class Fragment : uint8_t { kReject, kStrip };

// What a connection manager asks for.
struct PathRules {
  bool normalize = false;
  bool merge_slashes = false;
  EscapedSlashes escaped_slashes = EscapedSlashes::kKeep;
  Fragment fragment = Fragment::kReject;
};

enum class PathVerdict : uint8_t {
  kContinue,
  kReject,    // answer 400
  kRedirect,  // answer 307 with the new path (gRPC: refuse)
};

// Applies the rules to a target in Envoy's order: fragment, escaped slashes, normalisation, merging. `target` is the
// result, also for a redirect.
PathVerdict apply_path_rules(const PathRules& rules, std::string_view& target, Arena& arena);

// ---- hosts ("name", "name:port", "[v6]:port")

struct HostPort {
  std::string_view host;  // with the brackets of an IPv6 literal
  std::string_view port;  // what follows the ':' even when it is no number; null data when there is no ':'
};
HostPort split_host(std::string_view authority);
// The port as a number, when it is one.
std::optional<uint16_t> port_of(std::string_view authority);

// Without its port, if the port is a number and equals `only` (when given).
std::string_view strip_port(std::string_view authority, std::optional<uint16_t> only = std::nullopt);
// Without one final dot of the name: "a.:80" is "a:80".
std::string_view strip_trailing_dot(std::string_view authority, Arena& arena);

}  // namespace sluice::http
