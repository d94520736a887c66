// An exchange that begins anew: as an exchange of its own, on the same stream of the client.
#include "proxy/downstream_connection.h"
#include "proxy/exchange.h"

namespace sluice::proxy {

namespace {

http::RequestHeaders& copy_of(const http::RequestHeaders& from, Arena& arena) {
  auto& to = *arena.create<http::RequestHeaders>(arena);
  to.method = arena.copy(from.method);
  to.path = arena.copy(from.path);
  to.authority = arena.copy(from.authority);
  to.scheme = arena.copy(from.scheme);
  to.protocol = from.protocol;
  to.tunnel = from.tunnel;
  for (const http::HeaderField& field : from.fields) {
    to.fields.add_copy(field.name(), field.value());
  }
  return to;
}

}  // namespace

// What waits until the exchange before has left the stack. Lives in the arena. Thread: worker.
struct Exchange::Restarted {
  Restarted(Exchange& exchange, http::RequestHeaders& its_headers, buffer::Buffer&& its_body)
      : headers(its_headers), body(std::move(its_body)), begin(exchange.local().loop.timers(), [this, &exchange] {
          if (exchange.finished_) {
            return;  // the client went away meanwhile
          }
          const http::End end = body.empty() ? http::End::kYes : http::End::kNo;
          exchange.route_and_filter(headers, end);
          if (end == http::End::kNo && !exchange.request_ended()) {
            exchange.chain_.request_data(body, http::End::kYes);
          }
        }) {}
  http::RequestHeaders& headers;
  buffer::Buffer body;
  event::Timer begin;
};

void Exchange::restart(buffer::Buffer&& body) {
  SLUICE_DCHECK(request_complete_ && !response_begun_ && !finished_);
  body.own();
  successor_ = new Exchange(connection_, stream_);
  successor_->take_place_of(*this, std::move(body));
  finish();
}

void Exchange::take_place_of(Exchange& before, buffer::Buffer&& body) {
  http::RequestHeaders& headers = copy_of(*before.request_, arena_);
  request_ = &headers;
  facts_.request = &headers;
  facts_.protocol = before.facts_.protocol;
  facts_.has_protocol = true;
  facts_.remote = arena_.create<net::Address>(*before.facts_.remote);
  facts_.bytes_received = body.size();
  facts_.request_end = facts_.start;
  internal_ = before.internal_;
  upgrade_ = arena_.copy(before.upgrade_);
  restarts_ = before.restarts_ + 1;
  request_complete_ = true;
  arm_timers();
  arena_.create<Restarted>(*this, headers, std::move(body))->begin.arm(Duration(0));
}

}  // namespace sluice::proxy
