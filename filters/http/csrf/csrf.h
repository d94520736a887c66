// csrf: refuses changing requests that a page of another origin made a browser send.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/csrf_filter
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "match/string_matcher.h"
#include "model/route_match.h"
#include "proxy/filter.h"

namespace sluice::filters::csrf {

// The filter's own, or a route's in place of it. Thread: any (immutable).
class Policy final : public model::FilterConfig {
 public:
  model::Fraction enabled, shadow;
  std::vector<match::StringMatcher> more_origins;  // that may, beside the target itself
};

// Thread: any (immutable).
class CsrfFactory final : public proxy::HttpFilterFactory {
 public:
  CsrfFactory(std::string_view name, std::shared_ptr<const Policy> policy) : name_(name), policy_(std::move(policy)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const std::string& name() const { return name_; }
  const Policy& own() const { return *policy_; }

 private:
  std::string name_;
  std::shared_ptr<const Policy> policy_;
};

// "host:port" of an absolute URL; other text as it is. For the filter, and its test.
std::string_view host_and_port(std::string_view url);

}  // namespace sluice::filters::csrf
