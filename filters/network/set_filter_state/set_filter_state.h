// set_filter_state on connections: leaves objects, made by formats, in their filter state.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/listeners/network_filters/set_filter_state
#pragma once

#include <memory>
#include <vector>

#include "format/filter_state_value.h"
#include "proxy/network_filter.h"

namespace sluice::filters::network_set_filter_state {

// Immutable. Thread: any.
struct Moments {
  std::vector<format::FilterStateValue> on_connection, on_handshake, on_data;
};

// Immutable, shared by all workers. Thread: any.
class SetFilterState final : public proxy::NetworkFilterFactory {
 public:
  explicit SetFilterState(std::shared_ptr<const Moments> moments) : moments_(std::move(moments)) {}
  std::unique_ptr<proxy::NetworkFilterMaker> on_worker(const proxy::ProxyLocal& proxy,
                                                       const proxy::ListenerFacts& listener) const override;

 private:
  std::shared_ptr<const Moments> moments_;
};

}  // namespace sluice::filters::network_set_filter_state
