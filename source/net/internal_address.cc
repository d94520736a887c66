#include "net/internal_address.h"

#include "base/strings.h"

namespace sluice::net {

Result<Address> internal_address(std::string_view listener, std::string_view endpoint) {
  return Address::from_unix(cat(kInternalScheme, listener, "/", endpoint));
}

bool is_internal(const Address& address) {
  return address.kind() == AddressKind::kUnix && address.ip_to_string().starts_with(kInternalScheme);
}

const Address& internal_client() {
  static const Address address = *internal_address("internal_client_address", "");
  return address;
}

}  // namespace sluice::net
