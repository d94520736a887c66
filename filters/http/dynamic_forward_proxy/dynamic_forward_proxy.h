// dynamic_forward_proxy: before a request goes to a cluster whose hosts are the names that requests ask for, its name is
// looked up.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/dynamic_forward_proxy_filter
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/dns_cache_plan.h"
#include "proxy/filter.h"

namespace sluice::filters::dynamic_forward_proxy {

// Of a route: another host than the request's. At most one is set. Thread: any (immutable).
class HostRewrite final : public model::FilterConfig {
 public:
  std::string literal;
  std::string header;  // whose value is the host
};

// Thread: any (immutable).
class DynamicForwardProxyFactory final : public proxy::HttpFilterFactory {
 public:
  DynamicForwardProxyFactory(std::string_view name, std::shared_ptr<const model::DnsCachePlan> cache)
      : name_(name), cache_(std::move(cache)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  // The same as the cluster's, who asks it: while this lives there is no other one of the name.
  std::shared_ptr<const model::DnsCachePlan> cache_;
};

}  // namespace sluice::filters::dynamic_forward_proxy
