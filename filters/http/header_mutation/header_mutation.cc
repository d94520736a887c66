#include "filters/http/header_mutation/header_mutation.h"

namespace sluice::filters::header_mutation {
namespace {

using proxy::Exchange;
using proxy::Step;

// Lives in the exchange's arena. Thread: its exchange's.
class HeaderMutation final : public proxy::HttpFilter {
 public:
  explicit HeaderMutation(const HeaderMutationFactory& factory) : factory_(factory) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, http::End) override {
    factory_.for_each(exchange, [&](const Mutations& level) {
      if (!level.query.empty()) {
        headers.path = level.query.apply(headers.path, exchange.facts(), exchange.arena());
      }
      level.request.apply(headers.fields, exchange.facts());
    });
    return Step::next();
  }
  Step on_request_trailers(Exchange& exchange, http::HeaderMap& trailers) override {
    factory_.for_each(exchange,
                      [&](const Mutations& level) { level.request_trailers.apply(trailers, exchange.facts()); });
    return Step::next();
  }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End) override {
    factory_.for_each(exchange,
                      [&](const Mutations& level) { level.response.apply(headers.fields, exchange.facts()); });
    return Step::next();
  }
  Step on_response_trailers(Exchange& exchange, http::HeaderMap& trailers) override {
    factory_.for_each(exchange,
                      [&](const Mutations& level) { level.response_trailers.apply(trailers, exchange.facts()); });
    return Step::next();
  }

 private:
  const HeaderMutationFactory& factory_;
};

}  // namespace

proxy::HttpFilter* HeaderMutationFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<HeaderMutation>(*this);
}

uint8_t HeaderMutationFactory::hooks() const { return proxy::hooks_of<HeaderMutation>(); }

}  // namespace sluice::filters::header_mutation
