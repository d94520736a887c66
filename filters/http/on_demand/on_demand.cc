#include "filters/http/on_demand/on_demand.h"

#include <variant>

#include "base/strings.h"
#include "event/timer_wheel.h"
#include "filters/http/on_demand/waits.h"
#include "proxy/exchange.h"
#include "proxy/reason.h"

namespace sluice::filters::on_demand {
namespace {

using model::Found;
using proxy::Exchange;
using proxy::Step;

// Thread: its worker's.
struct OnDemandLocal final : proxy::FilterLocal {
  explicit OnDemandLocal(model::ClustersOnDemand* source) : clusters(source) {}
  model::ClustersOnDemand* clusters;
  Waits waits;
};

// Lives in the exchange's arena. Thread: its exchange's.
class OnDemand final : public proxy::HttpFilter, private Waiter {
 public:
  OnDemand(const OnDemandFactory& factory, OnDemandLocal& local, Exchange& exchange)
      : factory_(factory), local_(local), exchange_(exchange) {}

  Step on_request_headers(Exchange&, http::RequestHeaders& headers, http::End end) override {
    no_body_ = end == http::End::kYes;
    return exchange_.route().route == nullptr ? find_host(headers) : find_cluster(headers);
  }

  void on_complete(Exchange&, const format::Facts&) noexcept override { leave(); }

 private:
  Step find_host(const http::RequestHeaders& headers) {
    const model::RouteTable* const table = exchange_.route_table();
    if (table == nullptr || table->on_demand == nullptr) {
      return Step::next();
    }
    hosts_ = table->on_demand;
    return wait(hosts_.get(), to_lower(headers.authority), hosts_->longest_wait(),
                [this](std::string host, model::Asker asker) { hosts_->ask(std::move(host), std::move(asker)); });
  }

  Step find_cluster(const http::RequestHeaders& headers) {
    const auto* const action = std::get_if<model::ForwardAction>(&exchange_.route().route->action);
    const std::optional<Odcds>& odcds = factory_.settings(exchange_).odcds;
    if (action == nullptr || !odcds || local_.clusters == nullptr) {
      return Step::next();
    }
    const std::string_view name = action->cluster_name(exchange_.weighted(), headers);
    if (name.empty() || exchange_.clusters().find(name) != nullptr) {
      return Step::next();
    }
    if (odcds->timeout == Duration::zero()) {
      return Step::next();
    }
    return wait(&*odcds, std::string(name), odcds->timeout, [&](std::string cluster, model::Asker asker) {
      local_.clusters->ask(odcds->source, std::move(cluster), std::move(asker));
    });
  }

  // `limit` zero: without end.
  template <typename Ask>
  Step wait(const void* of, std::string name, Duration limit, const Ask& ask) {
    const Waits::Joined joined = local_.waits.join(static_cast<Waiter&>(*this), of, name);
    wait_ = joined.wait;
    if (joined.fresh) {
      ask(std::move(name), model::Asker(exchange_.local().loop, joined.wait));
    }
    if (limit > Duration::zero()) {
      limit_ = exchange_.arena().create<event::Timer>(exchange_.local().loop.timers(), [this] { go_on(); });
      limit_->arm(limit);
    }
    return Step::pause(resumer_);
  }

  void on_answer(Found) override { go_on(); }

  // What the answer was shows the newest table, and the clusters of this worker.
  void go_on() {
    leave();
    exchange_.renew_routes();
    if (no_body_ && may_be_served()) {
      buffer::Buffer none(exchange_.local().slabs);
      exchange_.begin_again(none, nullptr);
      return;
    }
    exchange_.reroute();
    if (exchange_.upgrade_refused()) {
      (void)exchange_.reply(proxy::reply_of(proxy::Reason::kUpgradeFailed));
      return;
    }
    resumer_.resume();
  }

  // By a route that was not there, or by a cluster that was not.
  bool may_be_served() {
    const model::Route* const route = exchange_.look_up_route().route;
    if (route == nullptr || exchange_.route().route == nullptr) {
      return route != nullptr;
    }
    const auto* const action = std::get_if<model::ForwardAction>(&exchange_.route().route->action);
    return exchange_.clusters().find(action->cluster_name(exchange_.weighted(), *exchange_.request())) != nullptr;
  }

  void leave() {
    if (limit_ != nullptr) {
      limit_->cancel();
    }
    unlink();
    wait_.reset();
  }

  const OnDemandFactory& factory_;
  OnDemandLocal& local_;
  Exchange& exchange_;
  std::shared_ptr<const model::HostsOnDemand> hosts_;
  std::shared_ptr<Wait> wait_;
  proxy::Resumer resumer_;
  event::Timer* limit_ = nullptr;  // in the arena
  bool no_body_ = false;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> OnDemandFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<OnDemandLocal>(place.clusters_on_demand);
}

proxy::HttpFilter* OnDemandFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<OnDemand>(*this, static_cast<OnDemandLocal&>(*local), exchange);
}

uint8_t OnDemandFactory::hooks() const { return proxy::hooks_of<OnDemand>(); }

const Settings& OnDemandFactory::settings(const Exchange& exchange) const {
  const auto* const found = exchange.settings_for<Settings>(name_);
  return found != nullptr ? *found : *settings_;
}

}  // namespace sluice::filters::on_demand
