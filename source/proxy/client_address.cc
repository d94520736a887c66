#include "proxy/client_address.h"

#include <algorithm>
#include <charconv>

#include "http/chars.h"

namespace sluice::proxy {
namespace {

// Longest text of an IPv6 address, with an IPv4 address in it.
constexpr size_t kMaxIpText = 45;

bool may_be_ip(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIpText &&
         std::all_of(text.begin(), text.end(), [](char c) { return http::hex_value(c) >= 0 || c == '.' || c == ':'; });
}

// 127.0.0.1 and ::1 alone: other addresses of 127.0.0.0/8 are told apart, as Envoy does.
bool is_this_machine(const net::Address& address) {
  const std::string_view ip = address.ip_bytes();
  return address.is_ip() && address.is_loopback() && ip.back() == 1 &&
         std::all_of(ip.begin() + 1, ip.end() - 1, [](char c) { return c == 0; });
}

bool is_internal(const model::HttpPlan& plan, const net::Address& address) {
  if (plan.internal_unix_sockets && address.kind() == net::AddressKind::kUnix) return true;
  return std::any_of(plan.internal_ranges.begin(), plan.internal_ranges.end(),
                     [&](const net::Cidr& range) { return range.contains(address); });
}

void append_peer(const model::HttpPlan& plan, const Peer& peer, http::HeaderMap& fields) {
  if (!peer.remote.is_ip()) return;
  std::string_view text =
      is_this_machine(peer.remote) && !peer.machine_ip.empty() ? peer.machine_ip : ip_text(peer.remote, fields.arena());
  if (plan.represent_ipv4_as_mapped_ipv6 && text.find(':') == std::string_view::npos) {
    constexpr std::string_view kPrefix = "::FFFF:";
    char* const start = static_cast<char*>(fields.arena().allocate(kPrefix.size() + text.size(), 1));
    std::copy(text.begin(), text.end(), std::copy(kPrefix.begin(), kPrefix.end(), start));
    text = {start, kPrefix.size() + text.size()};
  }
  fields.append_value(http::Token::kXForwardedFor, text);
}

char* write_ipv4(std::string_view bytes, char* to, char* end) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) *to++ = '.';
    to = std::to_chars(to, end, static_cast<uint8_t>(bytes[i])).ptr;
  }
  return to;
}

// RFC 5952: lower case, the longest run of two or more zero groups (the first of equals) as "::", a mapped IPv4
// address with dots.
char* write_ipv6(std::string_view bytes, char* to, char* end) {
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (bytes.starts_with(kMapped)) {
    constexpr std::string_view kPrefix = "::ffff:";
    return write_ipv4(bytes.substr(kMapped.size()), std::copy(kPrefix.begin(), kPrefix.end(), to), end);
  }
  uint16_t groups[8];
  for (size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<uint16_t>(static_cast<uint8_t>(bytes[2 * i]) << 8 | static_cast<uint8_t>(bytes[2 * i + 1]));
  }
  size_t run_at = 8, run = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > run) {
      run_at = i;
      run = length;
    }
  }
  for (size_t i = 0; i < 8; ++i) {
    if (i == run_at) {
      *to++ = ':';
      *to++ = ':';
      i += run - 1;
      continue;
    }
    if (i > 0 && i != run_at + run) *to++ = ':';
    to = std::to_chars(to, end, groups[i], 16).ptr;
  }
  return to;
}

}  // namespace

Forwarded address_in_forwarded_for(std::string_view value, uint32_t skip) {
  Forwarded out;
  size_t comma = value.rfind(',');
  for (uint32_t i = 0; i < skip; ++i) {
    if (comma == std::string_view::npos) return out;
    value = value.substr(0, comma);
    comma = value.rfind(',');
  }
  const std::string_view text = http::trim_blanks(comma == std::string_view::npos ? value : value.substr(comma + 1));
  if (!may_be_ip(text)) return out;
  Result<net::Address> address = net::Address::from_ip(text, 0);
  if (!address) return out;
  out.address = *address;
  out.single = comma == std::string_view::npos && skip == 0;
  return out;
}

namespace {

bool is_trusted(const model::ForwardedForDetection& rule, const net::Address& address) {
  return std::any_of(rule.trusted.begin(), rule.trusted.end(),
                     [&](const net::Cidr& range) { return range.contains(address); });
}

// From the right, as long as proxies are trusted.
Forwarded last_untrusted(const model::ForwardedForDetection& rule, std::string_view value) {
  Forwarded out;
  const auto elements = static_cast<uint32_t>(std::count(value.begin(), value.end(), ',')) + 1;
  for (uint32_t i = 0; i < elements; ++i) {
    const Forwarded found = address_in_forwarded_for(value, i);
    if (!found.address) return {};
    out.address = found.address;
    if (!is_trusted(rule, *found.address)) {
      out.single = found.single;
      return out;
    }
  }
  return out;
}

struct Detected {
  std::optional<net::Address> address;
  bool may_be_internal = false;
  bool append = false;
  uint16_t reject_status = 0;
};

Detected detect(const model::ForwardedForDetection& rule, const Peer& peer, const http::HeaderMap& fields) {
  const std::string_view value = fields.get(http::Token::kXForwardedFor);
  Forwarded found;
  if (rule.trusted.empty()) {
    found = address_in_forwarded_for(value, rule.hops);
  } else if (is_trusted(rule, peer.remote)) {
    found = last_untrusted(rule, value);
  }
  return {.address = found.address, .may_be_internal = found.single, .append = rule.append, .reject_status = 0};
}

Detected detect(const model::HeaderDetection& rule, const Peer&, const http::HeaderMap& fields) {
  const std::string_view text = fields.get(rule.name);
  Result<net::Address> address = may_be_ip(text) ? net::Address::from_ip(text, 0) : Error{};
  if (!address.ok())
    return {.address = std::nullopt, .may_be_internal = false, .append = false, .reject_status = rule.reject_status};
  return {.address = *address, .may_be_internal = rule.may_be_internal, .append = false, .reject_status = 0};
}

ClientAddress find_by_detections(const model::HttpPlan& plan, const Peer& peer, http::HeaderMap& fields) {
  ClientAddress out{&peer.remote, false, 0};
  bool append = false;
  for (const model::ClientDetection& rule : plan.detections) {
    const Detected found = std::visit([&](const auto& one) { return detect(one, peer, fields); }, rule);
    out.reject_status = found.reject_status;
    if (out.reject_status != 0) return out;
    append = append || found.append;
    if (!found.address) continue;
    out.address = fields.arena().create<net::Address>(*found.address);
    out.internal = found.may_be_internal && is_internal(plan, *out.address);
    break;
  }
  if (append) append_peer(plan, peer, fields);
  return out;
}

}  // namespace

ClientAddress find_client(const model::HttpPlan& plan, const Peer& peer, http::HeaderMap& fields) {
  if (!plan.detections.empty()) return find_by_detections(plan, peer, fields);
  const http::HeaderField* came = fields.find(http::Token::kXForwardedFor);
  const uint32_t hops = plan.xff_num_trusted_hops;
  ClientAddress out{&peer.remote, false, 0};
  Forwarded forwarded;
  if (came != nullptr && (!plan.use_remote_address || hops > 0)) {
    forwarded = address_in_forwarded_for(came->value(), plan.use_remote_address ? hops - 1 : hops);
  }
  const bool found = forwarded.address.has_value();
  if (found) out.address = fields.arena().create<net::Address>(*forwarded.address);

  const bool may_be_internal = plan.use_remote_address ? came == nullptr : found && forwarded.single;
  out.internal = may_be_internal && is_internal(plan, *out.address);
  if (plan.use_remote_address && !plan.skip_xff_append) append_peer(plan, peer, fields);
  return out;
}

std::string_view ip_text(const net::Address& address, Arena& arena) {
  if (!address.is_ip()) return arena.copy(address.ip_to_string());
  char text[kMaxIpText];
  char* const end = text + sizeof(text);
  const std::string_view bytes = address.ip_bytes();
  const bool v4 = address.kind() == net::AddressKind::kIp4;
  char* const at = v4 ? write_ipv4(bytes, text, end) : write_ipv6(bytes, text, end);
  return arena.copy({text, static_cast<size_t>(at - text)});
}

}  // namespace sluice::proxy
