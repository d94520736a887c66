#include "http/path.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/strings.h"
#include "http/chars.h"

namespace sluice::http {
namespace {

// What normalisation does with a byte of a path.
enum class Kind : uint8_t {
  kPass,     // as it is, and its escape stays an escape
  kPlain,    // unreserved: as it is, and its escape is decoded
  kEscape,   // written as %XX
  kSpecial,  // '.', '/', '\\', '%'
  kInvalid,  // NUL
};

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (int i = 0; i < 256; ++i) {
    const bool alnum = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z');
    kinds[static_cast<size_t>(i)] = alnum ? Kind::kPlain : i <= ' ' || i >= 0x7f ? Kind::kEscape : Kind::kPass;
  }
  for (const char c : {'-', '_', '~'}) kinds[static_cast<size_t>(c)] = Kind::kPlain;
  for (const char c : {'"', '#', '<', '>', '?', '^', '`', '{', '|', '}'}) kinds[static_cast<size_t>(c)] = Kind::kEscape;
  for (const char c : {'.', '/', '\\', '%'}) kinds[static_cast<size_t>(c)] = Kind::kSpecial;
  kinds[0] = Kind::kInvalid;
  return kinds;
}();

Kind kind_of(char c) { return kKinds[static_cast<uint8_t>(c)]; }

// The byte that "%XX" at the start of `text` stands for, or -1.
int escaped_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_slash(char c) { return c == '/' || c == '\\'; }

// Whether nothing in the path would change: no escape, no character to escape, no "//", no dot after a slash. Most
// paths are like this.
bool is_clean(std::string_view path) {
  char before = 0;
  for (const char c : path) {
    const Kind kind = kind_of(c);
    if (kind == Kind::kEscape || kind == Kind::kInvalid || c == '%' || c == '\\' || (c == '.' && before == '/')) {
      return false;
    }
    before = c;
  }
  return true;
}

// Writes the canonical form of one path, which is at most three times as long.
class Normalizer {
 public:
  Normalizer(std::string_view path, char* out) : in_(path), out_(out), start_(out) {}

  bool run() {
    while (!in_.empty()) {
      if (!step()) return false;
    }
    return true;
  }
  char* end() const { return out_; }

 private:
  // How long a dot in front is ("." or "%2e"), 0 when there is none.
  static size_t dot_length(std::string_view text) {
    return text.starts_with('.') ? 1 : escaped_byte(text) == '.' ? 3 : 0;
  }

  bool step() {
    const char c = in_[0];
    switch (kind_of(c)) {
      case Kind::kInvalid:
        return false;
      case Kind::kEscape:
        put_escaped(c);
        break;
      case Kind::kPass:
      case Kind::kPlain:
        *out_++ = c;
        break;
      case Kind::kSpecial:
        return special();
    }
    in_.remove_prefix(1);
    return true;
  }

  bool special() {
    if (const size_t length = dot_length(in_); length != 0) {
      in_.remove_prefix(length);
      dot();
      return true;
    }
    if (is_slash(in_[0])) {
      *out_++ = '/';
      in_.remove_prefix(1);
      return true;
    }
    return percent();
  }

  // A dot was taken. After a slash it may be "." or "..", whole segments; parameters behind them (";a=b") do not hide
  // that, for origins that cut parameters would go up too.
  void dot() {
    const bool after_slash = out_ > start_ && out_[-1] == '/';
    const size_t second = dot_length(in_);
    const std::string_view rest = in_.substr(second);
    if (after_slash && ends_segment(in_)) {
      in_ = behind_segment(in_);
    } else if (after_slash && second != 0 && ends_segment(rest)) {
      up();
      in_ = behind_segment(rest);
    } else {
      *out_++ = '.';
    }
  }

  static bool ends_segment(std::string_view rest) { return rest.empty() || is_slash(rest[0]) || rest[0] == ';'; }
  static std::string_view behind_segment(std::string_view rest) {
    const auto slash = std::find_if(rest.begin(), rest.end(), [](char c) { return is_slash(c); });
    return rest.substr(std::min(rest.size(), static_cast<size_t>(slash - rest.begin()) + 1));
  }

  // Back to the slash before the last segment, which stays.
  void up() {
    char* at = out_ - 1;
    if (at > start_) {
      do --at;
      while (at > start_ && *at != '/');
    }
    out_ = at + 1;
  }

  // An escape that must stay keeps its letters' case; a '%' that begins none is kept too.
  bool percent() {
    const int byte = escaped_byte(in_);
    if (byte == 0) return false;
    if (byte > 0 && kKinds[static_cast<size_t>(byte)] == Kind::kPlain) {
      *out_++ = static_cast<char>(byte);
      in_.remove_prefix(3);
      return true;
    }
    const size_t length = byte < 0 ? 1 : 3;
    std::memcpy(out_, in_.data(), length);
    out_ += length;
    in_.remove_prefix(length);
    return true;
  }

  void put_escaped(char c) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    *out_++ = '%';
    *out_++ = kHex[static_cast<uint8_t>(c) >> 4];
    *out_++ = kHex[static_cast<uint8_t>(c) & 15];
  }

  std::string_view in_;
  char* out_;
  char* start_;
};

std::string_view path_part(std::string_view target) { return target.substr(0, target.find('?')); }

// Copies the query of `target` behind what was written and returns the whole.
std::string_view with_query(char* start, char* end, std::string_view target, std::string_view path) {
  const std::string_view query = target.substr(path.size());
  if (!query.empty()) std::memcpy(end, query.data(), query.size());
  return {start, static_cast<size_t>(end - start) + query.size()};
}

char* room(Arena& arena, size_t bytes) { return static_cast<char*>(arena.allocate(bytes, 1)); }

}  // namespace

Target split_target(std::string_view target) {
  // A fragment is rare: two searches for one byte are faster than one for either.
  target = target.substr(0, target.find('#'));
  const size_t at = target.find('?');
  return {target.substr(0, at), at == std::string_view::npos ? std::string_view() : target.substr(at + 1)};
}

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? pair.substr(pair.size()) : pair.substr(equals + 1);
    }
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return std::nullopt;
}

std::string_view without_parameters(std::string_view path, Arena& arena) {
  if (path.find(';') == std::string_view::npos) return path;
  char* const start = room(arena, path.size());
  char* out = start;
  bool inside = false;
  for (const char c : path) {
    inside = c == ';' || (inside && c != '/');
    if (!inside) *out++ = c;
  }
  return {start, static_cast<size_t>(out - start)};
}

std::optional<std::string_view> normalize_path(std::string_view target, Arena& arena) {
  const std::string_view path = path_part(target);
  if (is_clean(path)) return target;
  char* const start = room(arena, path.size() * 3 + (target.size() - path.size()));
  Normalizer normalizer(path, start);
  if (!normalizer.run()) return std::nullopt;
  return with_query(start, normalizer.end(), target, path);
}

std::string_view merge_slashes(std::string_view target, Arena& arena) {
  const std::string_view path = path_part(target);
  if (path.find("//") == std::string_view::npos) return target;
  char* const start = room(arena, target.size());
  char* const end =
      std::unique_copy(path.begin(), path.end(), start, [](char a, char b) { return a == '/' && b == '/'; });
  return with_query(start, end, target, path);
}

std::string_view unescape_slashes(std::string_view target, Arena& arena) {
  const std::string_view path = path_part(target);
  const auto slash_at = [&path](size_t i) {
    const int byte = path[i] == '%' ? escaped_byte(path.substr(i)) : -1;
    return byte == '/' || byte == '\\' ? static_cast<char>(byte) : '\0';
  };
  size_t first = path.find('%');
  while (first != std::string_view::npos && slash_at(first) == 0) first = path.find('%', first + 1);
  if (first == std::string_view::npos) return target;

  char* const start = room(arena, target.size());
  std::memcpy(start, path.data(), first);
  char* out = start + first;
  for (size_t i = first; i < path.size(); ++i) {
    const char slash = slash_at(i);
    *out++ = slash != 0 ? slash : path[i];
    if (slash != 0) i += 2;
  }
  return with_query(start, out, target, path);
}

PathVerdict apply_path_rules(const PathRules& rules, std::string_view& target, Arena& arena) {
  if (const size_t fragment = target.find('#'); fragment != std::string_view::npos) {
    if (rules.fragment == Fragment::kReject) return PathVerdict::kReject;
    target = target.substr(0, fragment);
  }
  PathVerdict verdict = PathVerdict::kContinue;
  if (rules.escaped_slashes != EscapedSlashes::kKeep) {
    const std::string_view plain = unescape_slashes(target, arena);
    if (plain.data() != target.data()) {
      target = plain;  // also for the log of a request that is refused
      if (rules.escaped_slashes == EscapedSlashes::kReject) return PathVerdict::kReject;
      if (rules.escaped_slashes == EscapedSlashes::kUnescapeAndRedirect) verdict = PathVerdict::kRedirect;
    }
  }
  if (rules.normalize) {
    const auto normal = normalize_path(target, arena);
    if (!normal) return PathVerdict::kReject;
    target = *normal;
  }
  if (rules.merge_slashes) target = merge_slashes(target, arena);
  return verdict;
}

HostPort split_host(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && bracket > colon)) return {authority, {}};
  return {authority.substr(0, colon), authority.substr(colon + 1)};
}

std::optional<uint16_t> port_of(std::string_view authority) {
  return parse_number<uint16_t>(split_host(authority).port);
}

std::string_view strip_port(std::string_view authority, std::optional<uint16_t> only) {
  const HostPort parts = split_host(authority);
  const auto port = parse_number<uint32_t>(parts.port);
  return port && (!only || *port == *only) ? parts.host : authority;
}

std::string_view strip_trailing_dot(std::string_view authority, Arena& arena) {
  const HostPort parts = split_host(authority);
  if (!parts.host.ends_with('.')) return authority;
  const std::string_view host = parts.host.substr(0, parts.host.size() - 1);
  if (parts.port.data() == nullptr) return host;
  char* const start = room(arena, authority.size() - 1);
  std::memcpy(start, host.data(), host.size());
  std::memcpy(start + host.size(), authority.data() + parts.host.size(), authority.size() - parts.host.size());
  return {start, authority.size() - 1};
}

}  // namespace sluice::http
