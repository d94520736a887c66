#include "filters/http/set_filter_state/set_filter_state.h"

#include "proxy/exchange.h"

namespace sluice::filters::set_filter_state {
namespace {

using proxy::Exchange;
using proxy::Step;

// Lives in the exchange's arena. Thread: its exchange's.
class SetFilterState final : public proxy::HttpFilter {
 public:
  explicit SetFilterState(const SetFilterStateFactory& factory) : factory_(factory) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders&, http::End) override {
    // Those of the route come behind the filter's own.
    const auto* const route = exchange.settings_for<Objects>(factory_.name());
    set(factory_.own(), exchange);
    if (route != nullptr) set(*route, exchange);
    if (factory_.own().reroutes || (route != nullptr && route->reroutes)) exchange.reroute();
    return Step::next();
  }

 private:
  static void set(const Objects& objects, Exchange& exchange) {
    for (const format::FilterStateValue& value : objects.values) {
      value.leave_in(exchange.filter_state(), exchange.facts());
    }
  }

  const SetFilterStateFactory& factory_;
};

}  // namespace

proxy::HttpFilter* SetFilterStateFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<SetFilterState>(*this);
}

uint8_t SetFilterStateFactory::hooks() const { return proxy::hooks_of<SetFilterState>(); }

}  // namespace sluice::filters::set_filter_state
