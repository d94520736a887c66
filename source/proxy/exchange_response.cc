// The way back of an exchange: answers of its own and of the router, through the filters to the client.
#include "base/trace.h"
#include "model/route_apply.h"
#include "proxy/downstream_connection.h"
#include "proxy/exchange.h"
#include "proxy/exchange_trace.h"
#include "proxy/proxy_status.h"
#include "proxy/reason.h"
#include "proxy/response_preparation.h"

namespace sluice::proxy {

using stats::HttpStat;

namespace {

HttpStat class_stat(uint16_t status) {
  switch (status / 100) {
    case 1:
      return HttpStat::kDownstreamRq1xx;
    case 2:
      return HttpStat::kDownstreamRq2xx;
    case 3:
      return HttpStat::kDownstreamRq3xx;
    case 4:
      return HttpStat::kDownstreamRq4xx;
    default:
      return HttpStat::kDownstreamRq5xx;
  }
}

stats::ListenerHttpStat listener_class_stat(uint16_t status) {
  using stats::ListenerHttpStat;
  switch (status / 100) {
    case 1:
      return ListenerHttpStat::kDownstreamRq1xx;
    case 2:
      return ListenerHttpStat::kDownstreamRq2xx;
    case 3:
      return ListenerHttpStat::kDownstreamRq3xx;
    case 4:
      return ListenerHttpStat::kDownstreamRq4xx;
    default:
      return ListenerHttpStat::kDownstreamRq5xx;
  }
}

// Health checks are no traffic.
void count_answer(HttpServer& server, const format::Facts& facts, uint16_t status) {
  if (facts.health_check) {
    server.tracing_block().inc(stats::TracingStat::kHealthCheck);
    return;
  }
  server.block().inc(HttpStat::kDownstreamRqCompleted);
  server.block().inc(class_stat(status));
  server.listener_block().inc(stats::ListenerHttpStat::kDownstreamRqCompleted);
  server.listener_block().inc(listener_class_stat(status));
}

}  // namespace

Step Exchange::reply(const LocalReply& given) {
  LocalReply reply = given;
  if (finished_) {
    return Step::taken();
  }
  const Acting acting(*this);
  if (reply.flag) {
    facts_.flags.set(*reply.flag);
  }
  facts_.details = reply.details;
  if (response_begun_) {
    cut_response(reply.details, {});
    return Step::taken();
  }
  answered_locally_ = true;
  // A bad request leaves doubt about what follows it on an HTTP/1 connection.
  if (reply.status == 400 && !connection_.has_streams() && !plan().codec.stream_error_on_invalid_message) {
    connection_.close_after_response();
  }
  // What made a body too large was there before its end, however the two were read: on HTTP/1 the connection ends.
  if (reply.details == facts_of(Reason::kRequestTooLarge).details && !connection_.has_streams()) {
    request_complete_ = false;
    facts_.request_end = format::kUnset;
  }
  if (on_abort_) {
    Function<void()> abort = std::move(on_abort_);
    abort();
  }
  http::ResponseHeaders* const headers = begin_local_reply(arena_, reply);
  if (route_.route != nullptr) {
    facts_.response = headers;  // rules may ask for its location
    model::finalize_response(route_, weighted_, *headers, facts_);
    const http::HeaderField* type = reply.fields == nullptr ? nullptr : reply.fields->find(http::Token::kContentType);
    if (type != nullptr)
      headers->fields.set(http::Token::kContentType, type->value());  // the body's, whatever rules say
  }
  if (plan().local_reply) {
    map_local_reply(*plan().local_reply, reply, *headers, facts_, arena_);
  }
  const BuiltReply built =
      finish_local_reply(arena_, reply, *headers, request_, grpc_ ? ReplyForm::kGrpc : ReplyForm::kText);
  // Instead of a response that a filter has seen: as Envoy, past the filters.
  const bool replaces = response_ != nullptr;
  if (replaces) {
    chain_.drop_response();
  }
  const http::End end = built.body.empty() ? http::End::kYes : http::End::kNo;
  if (replaces) {
    response_ = built.headers;
    facts_.response = built.headers;
    response_headers_passed(*built.headers, end);
  } else {
    respond_headers(*built.headers, end);
  }
  if (end == http::End::kNo && !finished_ && response_ == built.headers) {
    buffer::Buffer body(local_.slabs);
    body.append_borrowed(built.body);
    replaces ? response_data_passed(body, http::End::kYes) : respond_data(body, http::End::kYes);
  }
  return Step::taken();
}

void Exchange::respond_interim(http::ResponseHeaders& headers) {
  touch();
  count_answer(connection_.server(), facts_, headers.status);
  connection_.send_interim(*this, headers);
}

void Exchange::respond_headers(http::ResponseHeaders& headers, http::End end) {
  touch();
  response_ = &headers;
  facts_.response = &headers;
  trace::step("chain: response headers");
  chain_.built() ? chain_.response_headers(headers, end) : response_headers_passed(headers, end);
}

void Exchange::response_headers_passed(http::ResponseHeaders& headers, http::End end) {
  response_begun_ = true;
  // As in Envoy not for a request that could not be read.
  if (plan().proxy_status != nullptr && request_ != nullptr) {
    add_proxy_status(*plan().proxy_status, facts_, headers);
  }
  facts_.response_code = headers.status;
  facts_.response_start = local_.loop.now();
  count_answer(connection_.server(), facts_, headers.status);
  prepare_response(plan(), request_, headers, local_.loop.wall_now());
  if (trace_ != nullptr) trace_->on_response(headers);
  connection_.send_headers(*this, headers, end);
  if (upgrade_asked_ && plan().log_at_tunnel &&
      (headers.status == 101 || (request_->method == "CONNECT" && headers.status / 100 == 2))) {
    log(format::LogType::kDownstreamTunnelSuccessfullyEstablished);
  }
  if (end == http::End::kYes) {
    response_is_complete();
  }
}

void Exchange::respond_data(buffer::Buffer& data, http::End end) {
  touch();
  chain_.built() ? chain_.response_data(data, end) : response_data_passed(data, end);
}

void Exchange::response_data_passed(buffer::Buffer& data, http::End end) {
  facts_.bytes_sent += data.size();
  connection_.send_data(*this, data, end);
  if (end == http::End::kYes) {
    response_is_complete();
  }
}

void Exchange::respond_trailers(http::HeaderMap& trailers) {
  const http::JoinedNames& joined = plan().inline_headers->response_trailers;
  if (!joined.empty()) join_repeated(trailers, joined);
  touch();
  facts_.response_trailers = &trailers;
  chain_.built() ? chain_.response_trailers(trailers) : response_trailers_passed(trailers);
}

void Exchange::response_trailers_passed(http::HeaderMap& trailers) {
  facts_.response_trailers = &trailers;
  connection_.send_trailers(*this, trailers);
  response_is_complete();
}

void Exchange::response_is_complete() {
  if (finished_) {
    return;
  }
  response_complete_ = true;
  on_abort_ = nullptr;
  if (request_complete_) {
    finish();
    return;
  }
  // The rest of the request would be of no use to anybody: the exchange ends here, and with HTTP/1 its connection.
  block().inc(HttpStat::kDownstreamRqResponseBeforeRqComplete);
  if (!connection_.has_streams()) connection_.close_after_response();
  finish();
}

void Exchange::cut_response(std::string_view details, std::optional<format::Flag> flag) {
  if (finished_) {
    return;
  }
  facts_.details = details;
  if (flag) {
    facts_.flags.set(*flag);
  }
  block().inc(HttpStat::kDownstreamRqTxReset);
  block().inc(HttpStat::kDownstreamRqRxReset);  // as Envoy, which hears its own reset
  DownstreamConnection& connection = connection_;
  finish();
  connection.cut();
}

void Exchange::on_downstream_full(bool full) { set_response_stop(kClientFull, full); }
void Exchange::on_stream_full(bool full) { set_response_stop(kStreamFull, full); }

void Exchange::set_response_stop(ResponseStop reason, bool stopped) {
  const uint8_t before = response_stops_;
  response_stops_ = static_cast<uint8_t>(stopped ? before | reason : before & ~reason);
  if ((before == 0) != (response_stops_ == 0) && on_response_full_ && !finished_) {
    on_response_full_(response_stops_ != 0);
  }
}

void Exchange::stop_response(bool stopped) { set_response_stop(kFilterPaused, stopped); }

void Exchange::response_too_large() { (void)reply(reply_of(Reason::kResponseTooLarge)); }

}  // namespace sluice::proxy
