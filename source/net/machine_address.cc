#include "net/machine_address.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include "net/address.h"

namespace sluice::net {

std::string machine_ip(MachineIp version) {
  const bool v6 = version == MachineIp::kV6;
  std::string found = v6 ? "::1" : "127.0.0.1";
  ifaddrs* interfaces = nullptr;
  if (getifaddrs(&interfaces) != 0) {
    return found;
  }
  for (const ifaddrs* at = interfaces; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != (v6 ? AF_INET6 : AF_INET)) {
      continue;
    }
    const Address address = Address::from_sockaddr(at->ifa_addr, v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    if (!address.is_loopback()) {
      found = address.ip_to_string();
      break;
    }
  }
  freeifaddrs(interfaces);
  return found;
}

}  // namespace sluice::net
