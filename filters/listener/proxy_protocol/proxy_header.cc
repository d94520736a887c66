#include "filters/listener/proxy_protocol/proxy_header.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::filters::proxy_protocol {
namespace {

constexpr std::string_view kText = "PROXY";
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kLongestLine = 108;  // the longest line that version 1 can have
constexpr size_t kFixedPart = 16;     // of version 2: signature, command, family, length

bool begins_alike(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  return a.substr(0, common) == b.substr(0, common);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t blank = line.find(' ');
    out.push_back(line.substr(0, blank));
    if (blank == std::string_view::npos) return out;
    line.remove_prefix(blank + 1);
  }
}

// Numbers in text must stand in the form of their family.
bool read_address(std::string_view ip, std::string_view port_text, net::AddressKind kind, net::Address& out) {
  const auto port = parse_number<uint16_t>(port_text);
  if (!port) return false;
  Result<net::Address> address = net::Address::from_ip(ip, *port);
  if (!address || address->kind() != kind) return false;
  out = *address;
  return true;
}

HeaderResult read_line(std::string_view bytes, ProxyHeader& out) {
  const size_t end = bytes.substr(0, kLongestLine).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() < kLongestLine) return {HeaderStatus::kMore, 0, bytes.size() + 1};
    return {HeaderStatus::kBroken, 1};
  }
  const std::vector<std::string_view> words = words_of(bytes.substr(0, end));
  if (words.size() < 2 || words[0] != "PROXY") return {HeaderStatus::kBroken, 1};
  if (words[1] != "UNKNOWN") {
    const bool four = words[1] == "TCP4";
    const net::AddressKind kind = four ? net::AddressKind::kIp4 : net::AddressKind::kIp6;
    if ((!four && words[1] != "TCP6") || words.size() != 6 || !read_address(words[2], words[4], kind, out.source) ||
        !read_address(words[3], words[5], kind, out.destination)) {
      return {HeaderStatus::kBroken, 1};
    }
    out.real = true;
  }
  return {.status = HeaderStatus::kDone, .version = 1, .size = end + 2};
}

uint16_t number16(std::string_view two) {
  return static_cast<uint16_t>(static_cast<uint8_t>(two[0]) << 8 | static_cast<uint8_t>(two[1]));
}

bool read_tlvs(std::string_view rest, std::vector<Tlv>& out) {
  while (!rest.empty()) {
    if (rest.size() < 3) return false;
    const size_t size = number16(rest.substr(1, 2));
    if (rest.size() - 3 < size) return false;
    out.push_back({static_cast<uint8_t>(rest[0]), rest.substr(3, size)});
    rest.remove_prefix(3 + size);
  }
  return true;
}

HeaderResult read_binary(std::string_view bytes, ProxyHeader& out) {
  const HeaderResult broken{HeaderStatus::kBroken, 2};
  if (bytes.size() < kFixedPart) return {HeaderStatus::kMore, 2, kFixedPart};
  const auto command = static_cast<uint8_t>(bytes[12]);
  const auto family = static_cast<uint8_t>(bytes[13]);
  const size_t length = number16(bytes.substr(14, 2));
  if (command >> 4 != 2) return broken;
  const bool local = (command & 0xf) == 0;
  const size_t ip_bytes = family >> 4 == 1 ? 4 : family >> 4 == 2 ? 16 : 0;
  const size_t addresses = 2 * ip_bytes + 4;
  if (!local) {
    // Unspecified and unix addresses are refused, streams and datagrams taken, as Envoy does.
    const int transport = family & 0xf;
    if ((command & 0xf) != 1 || ip_bytes == 0 || (transport != 1 && transport != 2) || length < addresses)
      return broken;
  }
  if (bytes.size() < kFixedPart + length) return {HeaderStatus::kMore, 2, kFixedPart + length};
  if (!local) {
    const std::string_view at = bytes.substr(kFixedPart, length);
    const auto kind = ip_bytes == 4 ? net::AddressKind::kIp4 : net::AddressKind::kIp6;
    out.source = net::Address::from_ip_bytes(kind, at.substr(0, ip_bytes), number16(at.substr(2 * ip_bytes, 2)));
    out.destination =
        net::Address::from_ip_bytes(kind, at.substr(ip_bytes, ip_bytes), number16(at.substr(2 * ip_bytes + 2, 2)));
    out.real = true;
    if (!read_tlvs(at.substr(addresses), out.tlvs)) return broken;
  }
  return {.status = HeaderStatus::kDone, .version = 2, .size = kFixedPart + length};
}

}  // namespace

bool may_be_header(std::string_view bytes) { return begins_alike(bytes, kText) || begins_alike(bytes, kSignature); }

HeaderResult read_proxy_header(std::string_view bytes, ProxyHeader& out) {
  // Nothing else can be known before the first byte that tells the two versions apart.
  if (bytes.size() >= kSignature.size() ? bytes.starts_with(kSignature) : begins_alike(bytes, kSignature)) {
    if (bytes.size() < kFixedPart) return {HeaderStatus::kMore, 0, kFixedPart};
    return read_binary(bytes, out);
  }
  HeaderResult result = read_line(bytes, out);
  if (result.status == HeaderStatus::kBroken && !bytes.starts_with(kText)) result.status = HeaderStatus::kNone;
  return result;
}

}  // namespace sluice::filters::proxy_protocol
