// basic_auth: lets in those who give a name and a password of its list (RFC 7617).
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/basic_auth_filter
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/filter.h"

namespace sluice::filters::basic_auth {

using Digest = std::array<char, 20>;  // SHA-1 of a password
using Users = std::map<std::string, Digest, std::less<>>;

// A route's users in place of the filter's own. Thread: any (immutable).
class RouteUsers final : public model::FilterConfig {
 public:
  Users users;
  std::string realm;
};

// Thread: any (immutable).
class BasicAuthFactory final : public proxy::HttpFilterFactory {
 public:
  struct Settings {
    Users users;
    std::string realm;  // empty: the URL that was asked for
    std::string header = "authorization";
    std::string forward_name;    // the header that tells the upstream who it is; empty: none
    bool allow_missing = false;  // requests without credentials pass
    bool emit_metadata = false;  // envoy.filters.http.basic_auth, username
  };
  BasicAuthFactory(std::string_view name, Settings settings) : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings() const { return settings_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  Settings settings_;
};

}  // namespace sluice::filters::basic_auth
