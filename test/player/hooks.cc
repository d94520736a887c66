#include "test/player/hooks.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "filters/http/router/router.h"
#include "proxy/exchange.h"
#include "proxy/filter.h"
#include "proxy/http_server.h"

namespace sluice::player {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kManager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
constexpr std::string_view kRouter = "envoy.extensions.filters.http.router.v3.Router";
constexpr uint64_t kBody = 64 * 1024;  // more is too large to be collected

// Who compiles calls functions without a state.
thread_local Hooks* hooks_in_force = nullptr;
config::CompileNetworkFilter compile_manager = nullptr;
config::CompileHttpFilter compile_router = nullptr;

// Thread: the simulation's.
class HookProbe final : public proxy::HttpFilter {
 public:
  HookProbe(Hooks& hooks, proxy::Exchange& exchange)
      : hooks_(hooks), request_(exchange.local().loop), response_(exchange.local().loop) {}

  proxy::Step on_request_headers(proxy::Exchange& exchange, http::RequestHeaders&, http::End end) override {
    request_complete_ = end == http::End::kYes;
    return at_headers(exchange, request_, end);
  }
  proxy::Step on_request_data(proxy::Exchange& exchange, buffer::Buffer&, http::End end) override {
    request_complete_ = end == http::End::kYes;
    return at_data(exchange, request_);
  }
  proxy::Step on_request_trailers(proxy::Exchange& exchange, http::HeaderMap&) override {
    request_complete_ = true;
    return at_any(exchange, request_);
  }
  proxy::Step on_response_headers(proxy::Exchange& exchange, http::ResponseHeaders&, http::End end) override {
    return at_headers(exchange, response_, end);
  }
  proxy::Step on_response_data(proxy::Exchange& exchange, buffer::Buffer&, http::End) override {
    return at_data(exchange, response_);
  }
  proxy::Step on_response_trailers(proxy::Exchange& exchange, http::HeaderMap&) override {
    return at_any(exchange, response_);
  }

 private:
  struct Side {
    explicit Side(event::Loop& loop) : timer(loop.timers(), [this] { end(); }) {}
    void end() {
      if (!forgets) {
        resumer->resume();
        return;
      }
      // The exchange may end inside, and the filter with it.
      const auto forgotten = std::exchange(resumer, std::make_unique<proxy::Resumer>());
    }
    bool forgets = false;
    std::unique_ptr<proxy::Resumer> resumer = std::make_unique<proxy::Resumer>();
    event::Timer timer;
  };

  bool all() const { return hooks_.manner() == Hooks::Manner::kAll; }

  proxy::Step at_headers(proxy::Exchange& exchange, Side& side, http::End end) {
    if (all() && end == http::End::kNo) {
      switch (hooks_.random().below(6)) {
        case 0:
          ++hooks_.stops;
          return proxy::Step::hold();
        case 1:
          ++hooks_.stops;
          return proxy::Step::collect(kBody);
        default:
          break;
      }
    }
    return at_any(exchange, side);
  }
  proxy::Step at_data(proxy::Exchange& exchange, Side& side) {
    if (all() && hooks_.random().chance(100)) {
      ++hooks_.stops;
      return proxy::Step::collect(kBody);
    }
    return at_any(exchange, side);
  }
  proxy::Step at_any(proxy::Exchange& exchange, Side& side) {
    test::SimRandom& random = hooks_.random();
    if (all() && random.chance(60)) {
      ++hooks_.stops;
      proxy::LocalReply teapot;
      teapot.status = 418;
      teapot.body = "short and stout";
      return exchange.reply(teapot);
    }
    const bool may_wait = all() || &side == &request_ || request_complete_;
    switch (random.below(3)) {
      case 0: {
        if (!may_wait) {
          return proxy::Step::next();
        }
        ++hooks_.stops;
        side.forgets = all() && random.chance(100);
        side.timer.arm(random.between(Duration(0), Duration(2ms)));
        return proxy::Step::pause(*side.resumer);
      }
      case 1: {
        ++hooks_.stops;
        proxy::Step step = proxy::Step::pause(*side.resumer);
        side.resumer->resume();
        return step;
      }
      default:
        return proxy::Step::next();
    }
  }

  Hooks& hooks_;
  Side request_, response_;
  bool request_complete_ = false;
};

class HookProbeFactory final : public proxy::HttpFilterFactory {
 public:
  explicit HookProbeFactory(Hooks& hooks) : hooks_(hooks) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override {
    return exchange.arena().create<HookProbe>(hooks_, exchange);
  }
  uint8_t hooks() const override { return proxy::hooks_of<HookProbe>(); }

 private:
  Hooks& hooks_;
};

// One or two of them, anywhere in front of the last `kept` filters.
void add_probes(std::vector<model::FilterPlan>& filters, Hooks& hooks, size_t kept) {
  for (uint64_t i = hooks.random().between(1, 2); i > 0; --i) {
    const auto at = static_cast<std::ptrdiff_t>(hooks.random().below(filters.size() - kept + 1));
    filters.insert(filters.begin() + at,
                   {"hook probe", std::make_shared<HookProbeFactory>(hooks), false, model::Origin()});
  }
}

// A connection manager with probes in front of the filter that ends its chain.
std::shared_ptr<const model::NetworkFilterPlan> compile_with_probes(const google::protobuf::Message& message,
                                                                    config::CompileScope& scope) {
  std::shared_ptr<const model::NetworkFilterPlan> out = compile_manager(message, scope);
  if (out == nullptr || hooks_in_force == nullptr) {
    return out;
  }
  // Just made, and nobody has seen it yet.
  auto& filters = const_cast<std::vector<model::FilterPlan>&>(
      static_cast<const proxy::HttpConnectionManager&>(*out).plan().filters);
  if (!filters.empty()) add_probes(filters, *hooks_in_force, 1);
  return out;
}

// A router with probes on the tries of clusters that have no filters of their own.
std::shared_ptr<const model::FilterConfig> compile_probed_router(const google::protobuf::Message& message,
                                                                 config::CompileScope& scope) {
  std::shared_ptr<const model::FilterConfig> out = compile_router(message, scope);
  if (out == nullptr || hooks_in_force == nullptr) {
    return out;
  }
  using filters::router::RouterFactory;
  auto& options =
      const_cast<filters::router::RouterOptions&>(static_cast<const RouterFactory&>(*out).options());  // just made, too
  auto filters = options.upstream_filters == nullptr
                     ? std::make_shared<std::vector<model::FilterPlan>>()
                     : std::make_shared<std::vector<model::FilterPlan>>(*options.upstream_filters);
  add_probes(*filters, *hooks_in_force, 0);
  options.upstream_filters = std::move(filters);
  return out;
}

}  // namespace

Hooks::~Hooks() {
  if (hooks_in_force == this) {
    hooks_in_force = nullptr;
  }
}

config::Extensions Hooks::with_probes(const config::Extensions& extensions) {
  hooks_in_force = this;
  config::Extensions out;
  for (const auto& [category, type] : extensions.types()) {
    if (const config::HttpFilterType* found = extensions.http_filter(type)) {
      config::HttpFilterType filter = *found;
      if (type == kRouter) {
        compile_router = std::exchange(filter.compile, &compile_probed_router);
      }
      out.add(filter);
    }
    if (const config::ListenerFilterType* filter = extensions.listener_filter(type)) out.add(*filter);
    if (const config::TracerType* tracer = extensions.tracer(type)) out.add(*tracer);
    if (const config::AccessLoggerType* logger = extensions.access_logger(type)) out.add(*logger);
    if (const config::NetworkFilterType* found = extensions.network_filter(type)) {
      config::NetworkFilterType filter = *found;
      if (type == kManager) {
        compile_manager = std::exchange(filter.compile, &compile_with_probes);
      }
      out.add(filter);
    }
  }
  return out;
}

}  // namespace sluice::player
