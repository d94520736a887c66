#include "filters/http/router/upstream_filters.h"

#include "filters/http/router/attempt.h"
#include "proxy/reason.h"

namespace sluice::filters::router {

using proxy::Reason;

std::span<const std::unique_ptr<proxy::FilterLocal>> UpstreamLocals::of(const UpstreamFiltersPtr& filters,
                                                                        const upstream::ClusterShared* cluster) {
  if (const auto found = lists_.find(filters.get()); found != lists_.end()) {
    return found->second.locals;
  }
  // Lists that nobody else has any more.
  std::erase_if(lists_, [](const auto& one) { return one.second.filters.use_count() == 1; });
  List& list = lists_[filters.get()];
  list.filters = filters;
  const std::string prefix = cluster != nullptr ? cluster->plan->stat_prefix() : stat_prefix_;
  const stats::BlockId stats = cluster != nullptr ? cluster->stats : stats_;
  for (const model::FilterPlan& plan : *filters) {
    const auto& factory = static_cast<const proxy::HttpFilterFactory&>(*plan.config);
    list.locals.push_back(factory.on_worker({local_, clusters_, prefix, stats, nullptr, log_sinks_}));
  }
  return list.locals;
}

using Acting = proxy::Exchange::Acting;

// ---- what comes in

void UpstreamFilters::request_headers(http::RequestHeaders& headers, http::End end) {
  const Acting acting(exchange_, chain_);
  chain_.request_headers(headers, end);
}

void UpstreamFilters::request_data(buffer::Buffer& data, http::End end) {
  const Acting acting(exchange_, chain_);
  if (!request_ended()) chain_.request_data(data, end);
}

void UpstreamFilters::request_trailers(http::HeaderMap& trailers) {
  const Acting acting(exchange_, chain_);
  if (!request_ended()) chain_.request_trailers(trailers);
}

void UpstreamFilters::response_headers(http::ResponseHeaders& headers, http::End end) {
  const Acting acting(exchange_, chain_);
  exchange_.facts().response = seen_ = &headers;
  chain_.response_headers(headers, end);
}

void UpstreamFilters::response_data(buffer::Buffer& data, http::End end) {
  const Acting acting(exchange_, chain_);
  chain_.response_data(data, end);
}

void UpstreamFilters::response_trailers(http::HeaderMap& trailers) {
  const Acting acting(exchange_, chain_);
  chain_.response_trailers(trailers);
}

void UpstreamFilters::end() {
  format::Facts& facts = exchange_.facts();
  chain_.complete(facts);
  // Of a response that is not the exchange's, or not yet, nobody else is to hear.
  if (facts.response == seen_ && !exchange_.response_begun()) facts.response = nullptr;
}

// ---- what has passed

void UpstreamFilters::request_headers_passed(http::RequestHeaders&, http::End end) { attempt_.ask_for_stream(end); }

void UpstreamFilters::request_data_passed(buffer::Buffer& data, http::End end) {
  if (!request_ended()) attempt_.put_data(data, end);
}

void UpstreamFilters::request_trailers_passed(http::HeaderMap& trailers) {
  if (!request_ended()) attempt_.put_trailers(trailers);
}

void UpstreamFilters::response_headers_passed(http::ResponseHeaders& headers, http::End end) {
  const Acting acting(exchange_);
  attempt_.take_headers(headers, end);
}

void UpstreamFilters::response_data_passed(buffer::Buffer& data, http::End end) {
  const Acting acting(exchange_);
  attempt_.take_data(data, end);
}

void UpstreamFilters::response_trailers_passed(http::HeaderMap& trailers) {
  const Acting acting(exchange_);
  attempt_.take_trailers(trailers);
}

// ---- what stops

void UpstreamFilters::stop_request(bool stopped) {
  net::ReadGate& gate = exchange_.request_gate();
  stopped ? gate.close(net::Pause::kTryFilter) : gate.open(net::Pause::kTryFilter);
}

void UpstreamFilters::stop_response(bool stopped) { attempt_.stop_stream(stopped); }

void UpstreamFilters::request_too_large() { (void)exchange_.reply(proxy::reply_of(Reason::kRequestTooLarge)); }

void UpstreamFilters::response_too_large() { (void)exchange_.reply(proxy::reply_of(Reason::kResponseTooLarge)); }

void UpstreamFilters::filter_gave_up() { (void)exchange_.reply(proxy::reply_of(Reason::kFilterGaveUp)); }

bool UpstreamFilters::request_ended() const { return attempt_.request_ended(); }

bool UpstreamFilters::response_ended() const { return attempt_.over(); }

}  // namespace sluice::filters::router
