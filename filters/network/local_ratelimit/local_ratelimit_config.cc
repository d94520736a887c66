#include "filters/network/local_ratelimit/local_ratelimit_config.h"

#include "envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit.pb.h"
#include "filters/network/local_ratelimit/connection_rate_config.h"
#include "proxy/filtered_transport.h"
#include "proxy/network_filter.h"

namespace sluice::filters::network_local_ratelimit {
namespace {

using connection_rate::Rate;
using connection_rate::RateLocal;
using Proto = envoy::extensions::filters::network::local_ratelimit::v3::LocalRateLimit;

// A connection too many: closed before anybody serves it. Thread: worker.
class Refusal final : public proxy::NetworkFilter {
 public:
  proxy::NetworkStep on_connection(proxy::FilteredTransport& connection) override {
    connection.accepted().flags.set(format::Flag::kUpstreamRetryLimitExceeded);  // which is what Envoy says
    return proxy::NetworkStep::close();
  }
};

// Owned by its Listener. Thread: worker.
class Maker final : public proxy::NetworkFilterMaker {
 public:
  Maker(std::shared_ptr<const Rate> rate, const proxy::ProxyLocal& proxy) : local_(std::move(rate), proxy) {}
  std::unique_ptr<proxy::NetworkFilter> make(proxy::Accepted&) override {
    return local_.admit() ? nullptr : std::make_unique<Refusal>();
  }

 private:
  RateLocal local_;
};

// Immutable but for the bucket, shared by all workers. Thread: any.
class Factory final : public proxy::NetworkFilterFactory {
 public:
  explicit Factory(std::shared_ptr<const Rate> rate) : rate_(std::move(rate)) {}
  std::unique_ptr<proxy::NetworkFilterMaker> on_worker(const proxy::ProxyLocal& proxy,
                                                       const proxy::ListenerFacts&) const override {
    return std::make_unique<Maker>(rate_, proxy);
  }

 private:
  std::shared_ptr<const Rate> rate_;
};

std::shared_ptr<const model::NetworkFilterPlan> compile(const google::protobuf::Message& message,
                                                        config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kStatPrefixFieldNumber, Proto::kTokenBucketFieldNumber, Proto::kRuntimeEnabledFieldNumber});
  return std::make_shared<const Factory>(connection_rate::compile_rate(proto, "local_rate_limit.", scope));
}

}  // namespace

config::NetworkFilterType extension() {
  return {.type = "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit", .compile = &compile};
}

}  // namespace sluice::filters::network_local_ratelimit
