// cors: answers preflight requests of browsers and adds the access-control headers to what allowed origins get.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/cors_filter
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "match/string_matcher.h"
#include "model/route_match.h"
#include "proxy/filter.h"

namespace sluice::filters::cors {

// One level's policy. A field that it does not have is the next level's. Thread: any (immutable).
class Policy final : public model::FilterConfig {
 public:
  std::vector<match::StringMatcher> origins;
  std::string methods, headers, exposed, max_age;
  std::optional<bool> credentials, private_network, forward_preflights;
  model::Fraction enabled, shadow;
};

// Thread: any (immutable).
class CorsFactory final : public proxy::HttpFilterFactory {
 public:
  explicit CorsFactory(std::string_view name) : name_(name) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

}  // namespace sluice::filters::cors
