// api_key_auth: lets in those who give a known key, and tells the upstream whose it is.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/api_key_auth_filter
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/filter.h"

namespace sluice::filters::api_key_auth {

// Where a key may stand. Thread: any (immutable).
struct KeySource {
  enum class In : uint8_t { kHeader, kQuery, kCookie };
  In in = In::kHeader;
  std::string name;
};

// Thread: any (immutable).
struct Forwarding {
  std::string header;             // gets the client's name; empty: none
  bool hide_credentials = false;  // keys do not go upstream
};

// The filter's own; or a route's, whose keys and sources, when it has some, stand in place of the filter's. Thread: any
// (immutable).
class Settings final : public model::FilterConfig {
 public:
  std::map<std::string, std::string, std::less<>> clients;  // by key
  std::vector<KeySource> sources;                           // asked in order
  Forwarding forwarding;
  std::set<std::string, std::less<>> allowed;  // clients; empty: all
};

// Thread: any (immutable).
class ApiKeyAuthFactory final : public proxy::HttpFilterFactory {
 public:
  ApiKeyAuthFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& own() const { return *settings_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::api_key_auth
