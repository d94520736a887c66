#include "filters/listener/http_inspector/http_inspector_config.h"

#include "config/compile_scope.h"
#include "filters/listener/http_inspector/http_inspector.h"

namespace sluice::filters::http_inspector {
namespace {

// Immutable, shared by all workers. Thread: any.
class Factory final : public proxy::ListenerFilterFactory {
 public:
  std::unique_ptr<proxy::ListenerFilter> on_worker(const proxy::ProxyLocal& proxy) const override {
    return std::make_unique<HttpInspector>(proxy);
  }
};

}  // namespace

config::ListenerFilterType extension() {
  return {.type = "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
          .compile = [](const google::protobuf::Message&, config::CompileScope&)
              -> std::shared_ptr<const model::ListenerFilterConfig> { return std::make_shared<const Factory>(); }};
}

}  // namespace sluice::filters::http_inspector
