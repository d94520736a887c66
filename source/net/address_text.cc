#include "net/address_text.h"

#include "base/strings.h"

namespace sluice::net {

std::optional<Address> parse_address(std::string_view text, std::optional<uint16_t> otherwise) {
  std::optional<uint16_t> port = otherwise;
  std::string_view ip = text;
  const bool bracketed = text.starts_with('[');
  const size_t end_of_ip = bracketed ? text.find(']') : text.find(':');
  if (bracketed) {
    if (end_of_ip == std::string_view::npos) return std::nullopt;
    ip = text.substr(1, end_of_ip - 1);
  }
  const std::string_view rest =
      end_of_ip == std::string_view::npos ? std::string_view() : text.substr(end_of_ip + (bracketed ? 1 : 0));
  // More than one colon without brackets is an IPv6 address without a port.
  if (rest.starts_with(':') && (bracketed || rest.find(':', 1) == std::string_view::npos)) {
    if (!bracketed) ip = text.substr(0, end_of_ip);
    port = parse_number<uint16_t>(rest.substr(1));
  } else if (bracketed && !rest.empty()) {
    return std::nullopt;
  }
  if (!port) return std::nullopt;
  auto address = Address::from_ip(ip, *port);
  return address ? std::optional<Address>(*std::move(address)) : std::nullopt;
}

}  // namespace sluice::net
