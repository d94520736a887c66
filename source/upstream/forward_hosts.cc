#include "upstream/forward_hosts.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::upstream {

ForwardName::ForwardName(std::string_view authority, uint16_t default_port) {
  const size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  const Piece port(default_port);
  const size_t size = authority.size() + (has_port ? 0 : 1 + port.text().size());
  if (authority.empty() || colon == 0 || size > sizeof(room)) {
    return;
  }
  if (has_port) {
    text = authority;
    return;
  }
  char* at = std::copy(authority.begin(), authority.end(), room);
  *at++ = ':';
  std::copy(port.text().begin(), port.text().end(), at);
  text = {room, size};
}

void ForwardHosts::update(const HostSet& hosts) {
  by_name_.clear();
  for (const auto& host : hosts.hosts) {
    by_name_.emplace(host->hostname(), host.get());
  }
}

Host* ForwardHosts::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace sluice::upstream
