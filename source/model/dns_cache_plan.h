// DnsCachePlan: a cache of names that requests ask for (dynamic forward proxy); filters and clusters that name it share
// it.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/dynamic_forward_proxy_filter
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/resolver.h"

namespace sluice::model {

// Envoy's defaults. Immutable. Thread: any.
struct DnsCachePlan {
  std::string name;
  net::ResolverOptions resolver;
  net::DnsFamily family = net::DnsFamily::kAuto;
  Duration refresh_rate = std::chrono::seconds(60);     // when an answer says nothing of its life
  Duration min_refresh_rate = std::chrono::seconds(5);
  Duration failure_base{0};                             // 0: refresh_rate, without growth
  Duration failure_max{0};
  bool refresh_failed = true;                           // disable_dns_refresh_on_failure is off
  Duration host_ttl = std::chrono::minutes(5);          // a name that nobody asked for so long is forgotten
  Duration query_timeout = std::chrono::seconds(5);     // 0: the resolver's own
  uint32_t max_hosts = 1024;
  uint32_t max_pending_requests = 1024;                 // that wait for an answer
  struct Known {
    std::string name;
    uint16_t port;
  };
  std::vector<Known> preresolve;
  std::string text;  // the whole message: equal ones are the same cache
};

}  // namespace sluice::model
