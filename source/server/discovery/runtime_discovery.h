// RuntimeDiscovery: RTDS: the layers of the runtime that control planes fill.
#pragma once

#include <memory>
#include <vector>

#include "base/function.h"
#include "config/bootstrap.h"
#include "server/discovery/counts.h"

namespace sluice::server {

// Owned by the server. Thread: main.
class RuntimeDiscovery {
 public:
  // `on_known`: called once, perhaps at once, when each layer came, was refused, or did not come in time.
  RuntimeDiscovery(const std::vector<config::RuntimeSource>& sources, runtime::Layers& layers,
                   const DiscoveryTools& tools, Function<void()> on_known);
  ~RuntimeDiscovery();

 private:
  class Layer;

  void known();

  runtime::Layers& layers_;
  const DiscoveryTools& tools_;
  Function<void()> on_known_;
  size_t waits_ = 1;
  std::vector<std::unique_ptr<Layer>> all_;
};

}  // namespace sluice::server
