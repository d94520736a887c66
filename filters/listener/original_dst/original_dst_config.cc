#include "filters/listener/original_dst/original_dst_config.h"

#include "config/compile_scope.h"
#include "proxy/listener_filter.h"

namespace sluice::filters::original_dst {
namespace {

// Where a connection wanted to go before the kernel's packet filter sent it to us. Thread: worker.
class OriginalDst final : public proxy::ListenerFilter {
 public:
  proxy::Need on_accept(proxy::Accepted& accepted) override {
    if (const std::optional<net::Address> wanted = accepted.socket().original_destination()) {
      accepted.found().local = *wanted;
    }
    return proxy::Need::done();
  }
};

// Immutable, shared by all workers. Thread: any.
class Factory final : public proxy::ListenerFilterFactory {
 public:
  std::unique_ptr<proxy::ListenerFilter> on_worker(const proxy::ProxyLocal&) const override {
    return std::make_unique<OriginalDst>();
  }
};

}  // namespace

config::ListenerFilterType extension() {
  return {.type = "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
          .compile = [](const google::protobuf::Message&, config::CompileScope&)
              -> std::shared_ptr<const model::ListenerFilterConfig> { return std::make_shared<const Factory>(); }};
}

}  // namespace sluice::filters::original_dst
