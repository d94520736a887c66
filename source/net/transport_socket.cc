#include "net/transport_socket.h"

#include "base/strings.h"

namespace sluice::net {

std::string TransportWishes::key() const {
  std::string out = server_name;
  for (const std::string& one : verify_names) {
    append(out, "\n", one);
  }
  if (of_client != 0) {
    append(out, "\n\n", of_client);
  }
  return out;
}

}  // namespace sluice::net
