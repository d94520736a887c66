#include "filters/listener/local_ratelimit/local_ratelimit_config.h"

#include "envoy/extensions/filters/listener/local_ratelimit/v3/local_ratelimit.pb.h"
#include "filters/network/local_ratelimit/connection_rate_config.h"
#include "proxy/listener_filter.h"

namespace sluice::filters::listener_local_ratelimit {
namespace {

using connection_rate::Rate;
using connection_rate::RateLocal;
using Proto = envoy::extensions::filters::listener::local_ratelimit::v3::LocalRateLimit;

// Owned by its Listener. Thread: worker.
class Filter final : public proxy::ListenerFilter {
 public:
  Filter(std::shared_ptr<const Rate> rate, const proxy::ProxyLocal& proxy) : local_(std::move(rate), proxy) {}
  proxy::Need on_accept(proxy::Accepted&) override {
    return local_.admit() ? proxy::Need::done() : proxy::Need::refuse();
  }

 private:
  RateLocal local_;
};

// Immutable but for the bucket, shared by all workers. Thread: any.
class Factory final : public proxy::ListenerFilterFactory {
 public:
  explicit Factory(std::shared_ptr<const Rate> rate) : rate_(std::move(rate)) {}
  std::unique_ptr<proxy::ListenerFilter> on_worker(const proxy::ProxyLocal& proxy) const override {
    return std::make_unique<Filter>(rate_, proxy);
  }

 private:
  std::shared_ptr<const Rate> rate_;
};

std::shared_ptr<const model::ListenerFilterConfig> compile(const google::protobuf::Message& message,
                                                           config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  return std::make_shared<const Factory>(connection_rate::compile_rate(proto, "listener_local_ratelimit.", scope));
}

}  // namespace

config::ListenerFilterType extension() {
  return {.type = "envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit", .compile = &compile};
}

}  // namespace sluice::filters::listener_local_ratelimit
