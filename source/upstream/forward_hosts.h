// ForwardHosts: the hosts of a dynamic forward proxy by the names that requests ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "upstream/host_set.h"

namespace sluice::upstream {

// "a.test" -> "a.test:80" (of the cluster's kind), "a.test:8080" as it is; "" for what is no host. The result may view
// the authority, or `room`.
struct ForwardName {
  ForwardName(std::string_view authority, uint16_t default_port);
  ForwardName(const ForwardName&) = delete;
  ForwardName& operator=(const ForwardName&) = delete;
  std::string_view text;
  char room[272];  // 253 letters of a name, and a port
};

// A worker's index of one set of hosts, which outlives it. Thread: worker.
class ForwardHosts {
 public:
  void update(const HostSet& hosts);
  // Null: the name was not looked up yet, or is forgotten.
  Host* find(std::string_view name) const;

 private:
  std::unordered_map<std::string_view, Host*> by_name_;
};

}  // namespace sluice::upstream
