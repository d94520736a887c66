// ip_tagging: tells the upstream in a header to which named networks the client belongs.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/ip_tagging_filter
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/address.h"
#include "proxy/filter.h"

namespace sluice::filters::ip_tagging {

// Thread: any (immutable).
struct Settings {
  enum class Requests : uint8_t { kAll, kInternal, kExternal };
  enum class Header : uint8_t { kAppend, kReplace };
  Requests requests = Requests::kAll;
  std::vector<std::pair<std::string, std::vector<net::Cidr>>> tags;
  std::string header = "x-envoy-ip-tags";
  Header action = Header::kAppend;  // kReplace: the client's own goes, also when there is no tag
};

// Thread: any (immutable).
class IpTaggingFactory final : public proxy::HttpFilterFactory {
 public:
  explicit IpTaggingFactory(Settings settings) : settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings() const { return settings_; }

 private:
  Settings settings_;
};

}  // namespace sluice::filters::ip_tagging
