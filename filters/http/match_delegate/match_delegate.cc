#include "filters/http/match_delegate/match_delegate.h"

#include <map>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::match_delegate {
namespace {

using http::End;
using proxy::Exchange;
using proxy::HttpFilter;
using proxy::HttpFilterFactory;
using proxy::Step;

// What the filters inside keep on a worker, made when they are first taken. Thread: its worker's.
class DelegateLocal final : public proxy::FilterLocal {
 public:
  explicit DelegateLocal(const proxy::FilterPlace& place)
      : local_(place.local),
        clusters_(place.clusters),
        prefix_(place.stat_prefix),
        stats_(place.stats),
        success(place.local.cells.counter("composite.filter_delegation_success", stats_)) {}

  proxy::FilterLocal* of(const std::shared_ptr<const HttpFilterFactory>& factory) {
    // The key keeps the factory: no other one can come to stand at its address.
    const auto [at, fresh] = locals_.try_emplace(factory);
    if (fresh) at->second = factory->on_worker({local_, clusters_, prefix_, stats_});
    return at->second.get();
  }

 private:
  upstream::WorkerLocal& local_;
  upstream::ClusterSet& clusters_;
  const std::string prefix_;
  const stats::BlockId stats_;
  std::map<std::shared_ptr<const HttpFilterFactory>, std::unique_ptr<proxy::FilterLocal>> locals_;

 public:
  stats::Single success;
};

// The local of a filter that is skipped or not.
struct InnerLocal final : proxy::FilterLocal {
  explicit InnerLocal(std::unique_ptr<proxy::FilterLocal> the_inner) : inner(std::move(the_inner)) {}
  std::unique_ptr<proxy::FilterLocal> inner;
};

// Passes the events on to the filter inside, if there is one. Lives in the exchange's arena. Thread: its exchange's.
class Delegate final : public HttpFilter {
 public:
  Delegate(const MatchDelegateFactory& factory, Exchange& exchange, proxy::FilterLocal* local)
      : factory_(factory), local_(local) {
    if (factory.inner() != nullptr) {
      filter_ = factory.inner()->create(exchange, static_cast<InnerLocal*>(local)->inner.get());
    }
  }

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, End end) override {
    decide(exchange);
    return acts() ? filter_->on_request_headers(exchange, headers, end) : Step::next();
  }
  Step on_request_data(Exchange& exchange, buffer::Buffer& data, End end) override {
    return acts() ? filter_->on_request_data(exchange, data, end) : Step::next();
  }
  Step on_request_trailers(Exchange& exchange, http::HeaderMap& trailers) override {
    return acts() ? filter_->on_request_trailers(exchange, trailers) : Step::next();
  }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, End end) override {
    decide(exchange);
    return acts() ? filter_->on_response_headers(exchange, headers, end) : Step::next();
  }
  Step on_response_data(Exchange& exchange, buffer::Buffer& data, End end) override {
    return acts() ? filter_->on_response_data(exchange, data, end) : Step::next();
  }
  Step on_response_trailers(Exchange& exchange, http::HeaderMap& trailers) override {
    return acts() ? filter_->on_response_trailers(exchange, trailers) : Step::next();
  }
  void on_complete(Exchange& exchange, const format::Facts& facts) noexcept override {
    if (filter_ != nullptr) filter_->on_complete(exchange, facts);
  }

 private:
  bool acts() const { return filter_ != nullptr && !skipped_; }

  // At the headers of either direction, until the tree says something.
  void decide(Exchange& exchange) {
    if (decided_) return;
    const match::Action* found = factory_.find(exchange);
    if (found == nullptr) return;
    decided_ = true;
    if (dynamic_cast<const Skip*>(found) != nullptr) {
      skipped_ = true;
    } else if (const auto* execute = dynamic_cast<const Execute*>(found);
               execute != nullptr && factory_.inner() == nullptr) {
      if (!execute->sample.includes(exchange.local().random.next())) return;
      auto& local = static_cast<DelegateLocal&>(*local_);
      local.success.inc();
      filter_ = execute->factory->create(exchange, local.of(execute->factory));
    }
  }

  const MatchDelegateFactory& factory_;
  proxy::FilterLocal* local_;
  HttpFilter* filter_ = nullptr;
  bool decided_ = false;
  bool skipped_ = false;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> MatchDelegateFactory::on_worker(const proxy::FilterPlace& place) const {
  if (inner_ == nullptr) return std::make_unique<DelegateLocal>(place);
  return std::make_unique<InnerLocal>(inner_->on_worker(place));
}

HttpFilter* MatchDelegateFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<Delegate>(*this, exchange, local);
}

uint8_t MatchDelegateFactory::hooks() const {
  // Which filter a composite will have is not known yet.
  return inner_ == nullptr ? proxy::hooks_of<Delegate>()
                           : inner_->hooks() | proxy::kRequestHeaders | proxy::kResponseHeaders;
}

const match::Action* MatchDelegateFactory::find(Exchange& exchange) const {
  const auto* const route = exchange.settings_for<RouteTree>(name_);
  const model::FactTree* tree = route == nullptr ? tree_.get() : route->tree.get();
  return tree == nullptr ? nullptr : tree->find(exchange.facts());
}

}  // namespace sluice::filters::match_delegate
