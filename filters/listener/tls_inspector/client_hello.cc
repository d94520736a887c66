#include "filters/listener/tls_inspector/client_hello.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::filters::tls_inspector {
namespace {

constexpr size_t kRecordHead = 5;
constexpr size_t kMessageHead = 4;
constexpr size_t kLongestRecord = 16384 + 256;
constexpr size_t kLongestMessage = 16384;  // as Envoy's TLS library has it for a ClientHello
constexpr uint8_t kHandshake = 22;
constexpr uint8_t kClientHello = 1;
constexpr uint16_t kServerNameExtension = 0;
constexpr uint16_t kAlpnExtension = 16;

// Reads numbers and length-prefixed parts; after the first that does not fit nothing is read any more.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  std::string_view take(size_t bytes) {
    if (!ok_ || rest_.size() < bytes) {
      ok_ = false;
      return {};
    }
    const std::string_view out = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return out;
  }
  uint32_t number(size_t bytes) {
    uint32_t out = 0;
    for (const char c : take(bytes)) {
      out = out << 8 | static_cast<uint8_t>(c);
    }
    return out;
  }
  // Behind its own length in `bytes` bytes.
  std::string_view part(size_t bytes) {
    const uint32_t size = number(bytes);
    return take(size);
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

bool read_server_name(std::string_view extension, ClientHello& out) {
  Cursor cursor(extension);
  Cursor list(cursor.part(2));
  const uint32_t type = list.number(1);
  const std::string_view name = list.part(2);
  // One name of the one type that there is.
  if (!cursor.ok() || !list.ok() || !cursor.empty() || !list.empty() || type != 0 || name.empty() ||
      name.size() > 255 || name.find('\0') != std::string_view::npos) {
    return false;
  }
  out.server_name = to_lower(name);
  return true;
}

bool read_protocols(std::string_view extension, ClientHello& out) {
  Cursor cursor(extension);
  Cursor list(cursor.part(2));
  if (list.empty()) {
    return false;
  }
  while (list.ok() && !list.empty()) {
    const std::string_view protocol = list.part(1);
    if (protocol.empty()) {
      return false;
    }
    out.application_protocols.emplace_back(protocol);
  }
  return cursor.ok() && cursor.empty() && list.ok();
}

bool read_body(std::string_view body, ClientHello& out) {
  Cursor cursor(body);
  (void)cursor.number(2);  // legacy_version
  (void)cursor.take(32);   // random
  const std::string_view session = cursor.part(1);
  const std::string_view ciphers = cursor.part(2);
  const std::string_view compressions = cursor.part(1);
  if (!cursor.ok() || session.size() > 32 || ciphers.size() < 2 || ciphers.size() % 2 != 0 || compressions.empty()) {
    return false;
  }
  if (cursor.empty()) {
    return true;  // no extensions at all
  }
  Cursor extensions(cursor.part(2));
  if (!cursor.ok() || !cursor.empty()) {
    return false;
  }
  bool named = false, protocols = false;
  while (!extensions.empty() && extensions.ok()) {
    const uint32_t type = extensions.number(2);
    const std::string_view content = extensions.part(2);
    if (!extensions.ok()) {
      return false;
    }
    if (type == kServerNameExtension) {
      if (named || !read_server_name(content, out)) return false;
      named = true;
    } else if (type == kAlpnExtension) {
      if (protocols || !read_protocols(content, out)) return false;
      protocols = true;
    }
  }
  return extensions.ok();
}

}  // namespace

HelloResult read_client_hello(std::string_view bytes, ClientHello& out) {
  std::string message;
  size_t at = 0;
  // However small its records are, what is missing of the message must come: nothing behind `at` is looked at before, or
  // a peer could have all of it read again for each byte.
  size_t missing = 0, until = 0;
  while (true) {
    if (at >= until) {
      until = at + kRecordHead + missing;
    }
    if (const size_t wanted = std::max(until, at + kRecordHead); bytes.size() < wanted) {
      return {HelloStatus::kMore, wanted};
    }
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
    const size_t length = byte(3) << 8 | byte(4);
    if (byte(1) != 3 || length > kLongestRecord) {
      return {HelloStatus::kNotTls};
    }
    if (bytes.size() - at - kRecordHead < length) {
      return {HelloStatus::kMore, at + kRecordHead + length};
    }
    if (byte(0) != kHandshake || length == 0) {
      return {HelloStatus::kNotTls};
    }
    message.append(bytes.substr(at + kRecordHead, length));
    at += kRecordHead + length;
    if (message.size() < kMessageHead) {
      continue;
    }
    Cursor head(message);
    const uint32_t type = head.number(1);
    const uint32_t size = head.number(3);
    if (type != kClientHello || size > kLongestMessage) {
      return {HelloStatus::kNotTls};
    }
    if (message.size() - kMessageHead < size) {
      missing = kMessageHead + size - message.size();
      continue;
    }
    ClientHello found;
    if (!read_body(std::string_view(message).substr(kMessageHead, size), found)) {
      return {HelloStatus::kNotTls};
    }
    out = std::move(found);
    return {HelloStatus::kDone};
  }
}

}  // namespace sluice::filters::tls_inspector
