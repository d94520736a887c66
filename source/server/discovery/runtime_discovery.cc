#include "server/discovery/runtime_discovery.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace sluice::server {

using config::Verdict;

// One layer. Thread: main.
class RuntimeDiscovery::Layer final : private config::ResourceUser {
 public:
  Layer(const config::RuntimeSource& source, RuntimeDiscovery& owner)
      : owner_(owner),
        layer_(source.layer),
        name_(source.resource),
        counts_("runtime.", source.source, owner.tools_, DiscoveryCounts::Reloads::kUncounted) {
    subscription_ = owner.tools_.subscriber.subscribe(
        source.source, interest_in(config::ResourceType::kRuntime, name_, source.source), *this);
  }

 private:
  std::string on_resources(const config::ResourceUpdate& update) override {
    config::Batch<runtime::Values> batch = owner_.tools_.compiler.runtime(update);
    if (batch.verdict == Verdict::kTaken && !batch.resources.empty()) {
      if (batch.resources.front().name == name_) {
        owner_.layers_.set_discovered(layer_, *batch.resources.front().plan);
        counts_.reloaded();
      } else {
        batch.verdict = Verdict::kRejected;
        batch.why = cat("the layer is '", batch.resources.front().name, "'; meant is '", name_, "'");
      }
    }
    if (batch.verdict == Verdict::kTaken && batch.resources.empty() &&
        std::find(update.removed.begin(), update.removed.end(), name_) != update.removed.end()) {
      owner_.layers_.set_discovered(layer_, {});
      counts_.reloaded();
    }
    counts_.count(batch.verdict, batch.version);
    known();
    return tell(name_, batch, owner_.tools_);
  }
  void on_rejected(std::string_view) override {
    counts_.count(Verdict::kRejected, {});
    known();
  }
  void on_failure(std::string_view) override { counts_.failed(); }
  void on_timeout() override {
    counts_.timed_out();
    known();
  }
  void known() {
    if (!std::exchange(known_, true)) {
      owner_.known();
    }
  }

  RuntimeDiscovery& owner_;
  const std::string layer_, name_;
  DiscoveryCounts counts_;
  bool known_ = false;
  std::unique_ptr<config::Subscription> subscription_;
};

RuntimeDiscovery::RuntimeDiscovery(const std::vector<config::RuntimeSource>& sources, runtime::Layers& layers,
                                   const DiscoveryTools& tools, Function<void()> on_known)
    : layers_(layers), tools_(tools), on_known_(std::move(on_known)) {
  for (const config::RuntimeSource& source : sources) {
    ++waits_;
    all_.push_back(std::make_unique<Layer>(source, *this));
  }
  known();
}

RuntimeDiscovery::~RuntimeDiscovery() = default;

void RuntimeDiscovery::known() {
  if (--waits_ == 0) {
    Function<void()> hook = std::move(on_known_);
    hook();
  }
}

}  // namespace sluice::server
