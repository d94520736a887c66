// Internal redirects: the exchange begins again with another request, and the client does not notice.
#include <memory>
#include <utility>

#include "proxy/downstream_connection.h"
#include "proxy/exchange.h"
#include "proxy/exchange_trace.h"
#include "proxy/reason.h"

namespace sluice::proxy {

using stats::HttpStat;

bool Exchange::was_redirected(const model::Route* from, const model::Route* to) const {
  const Redirect* hop = redirected_;
  while (hop != nullptr && (hop->from != from || hop->to != to)) {
    hop = hop->next;
  }
  return hop != nullptr;
}

void Exchange::note_redirect(const model::Route* target) {
  ++redirects_;
  redirected_ = arena_.create<Redirect>(Redirect{route_.route, target, redirected_});
}

void Exchange::begin_again(buffer::Buffer& body, http::HeaderMap* trailers) {
  facts_.details = facts_of(Reason::kInternalRedirect).details;
  facts_.end = local().loop.now();
  on_abort_ = nullptr;
  on_response_full_ = nullptr;
  tries_ = nullptr;
  chain_.complete(facts_);
  if (trace_ != nullptr) trace_->end();
  log(format::LogType::kDownstreamEnd);
  std::destroy_at(&chain_);
  std::construct_at(&chain_);
  // What filters left was for the request as it was.
  metadata_ = nullptr;
  filter_state_ = nullptr;
  const net::Address* client = facts_.remote;
  const format::Facts old = std::exchange(facts_, format::Facts());
  begin_facts();
  facts_.start = local().loop.now();
  facts_.remote = client;
  facts_.request = request_;
  facts_.request_trailers = trailers;
  facts_.protocol = old.protocol;
  facts_.has_protocol = old.has_protocol;
  facts_.bytes_received = old.bytes_received;
  facts_.listener_metadata = old.listener_metadata;
  if (filter_state_ != nullptr) {
    facts_.filter_state = filter_state_;
  }
  metadata_ = nullptr;  // that of filters is of one pass
  target_named_ = false;
  facts_.request_end = facts_.start;
  response_ = nullptr;
  block().inc(HttpStat::kDownstreamRqTotal);
  block().inc(connection_.has_streams() ? HttpStat::kDownstreamRqHttp2Total : HttpStat::kDownstreamRqHttp1Total);
  find_route(internal_);
  begin_trace();
  enter_chain(*request_, body.empty() && trailers == nullptr ? http::End::kYes : http::End::kNo);
  if (!body.empty() && !answered_locally_ && !finished_) {
    chain_.request_data(body, trailers == nullptr ? http::End::kYes : http::End::kNo);
  }
  if (trailers != nullptr && !answered_locally_ && !finished_) {
    chain_.request_trailers(*trailers);
  }
}

}  // namespace sluice::proxy
