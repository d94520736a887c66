// Attempt: one try of an exchange against one host.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/intrusive_list.h"
#include "buffer/buffer.h"
#include "event/loop.h"
#include "filters/http/router/timeouts.h"
#include "proxy/exchange.h"
#include "trace/span.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::filters::router {

class Attempt;
class RawStream;
class UpstreamFilters;
class UpstreamLocals;

// The router, as its attempts see it. Every attempt ends in one response with End::kYes, or in one on_failed(), or in
// reset() by the router.
class AttemptOwner {
 public:
  // There is a connection; now the request goes.
  virtual void on_stream(Attempt& attempt) = 0;
  virtual void on_interim(Attempt& attempt, const http::ResponseHeaders& headers) = 0;
  virtual void on_headers(Attempt& attempt, http::ResponseHeaders& headers, http::End end) = 0;
  virtual void on_data(Attempt& attempt, buffer::Buffer& data, http::End end) = 0;
  virtual void on_trailers(Attempt& attempt, http::HeaderMap& trailers) = 0;
  virtual void on_failed(Attempt& attempt, upstream::ResetReason reason, std::string_view details) = 0;
  // per_try_timeout is over. The attempt goes on until it is reset.
  virtual void on_try_timeout(Attempt& attempt) = 0;
  // Nothing moved for per_try_idle_timeout.
  virtual void on_try_idle(Attempt& attempt) = 0;
  // max_stream_duration of its cluster is over. The attempt goes on until it is reset.
  virtual void on_try_too_long(Attempt& attempt) = 0;
  // upstream_log_flush_interval is over, again.
  virtual void on_log_interval(Attempt& attempt) = 0;
  // It is over, whatever becomes of it: told before the above.
  virtual void on_over(Attempt& attempt) = 0;

 protected:
  ~AttemptOwner() = default;
};

// Its filters, if it has any, may pause and collect either message: it asks for a stream when the headers have passed
// them. Keeps request bytes that have passed only until it has the stream. Lives in the exchange's arena; in its
// owner's list until it is over. Thread: worker.
class Attempt final : private upstream::PoolRequest, private upstream::StreamUser, public IntrusiveNode<AttemptOwner> {
 public:
  // `filters` are the router's: what those of the cluster keep on this worker.
  Attempt(AttemptOwner& owner, proxy::Exchange& exchange, const RouterOptions& options, const Timeouts& timeouts,
          upstream::Pool& pool, UpstreamLocals& filters);

  void start(uint8_t priority, http::End end);
  // The same for a CONNECT that ends here: a connection of its own, for what is in the tunnel.
  void start_raw(upstream::Cluster& cluster);
  void send_data(buffer::Buffer& data, http::End end);
  void send_trailers(http::HeaderMap& trailers);
  // The whole request has arrived: from now on the times of this try run, once it has a stream or waits for a filter.
  void arm_timers();
  // Gives up; the owner hears nothing more.
  void reset();
  // Stops and starts reading the response.
  void pause_response(bool pause);
  size_t request_room() const;
  // The response has begun.
  bool answered() const { return answered_; }
  // The request had begun to leave.
  bool sent() const { return sent_; }
  bool over() const { return over_; }
  // Nothing more goes to the upstream.
  bool request_ended() const { return over_ || heard_all_; }
  // Nobody has seen its request, which has no body: the connection ended just when it left.
  bool unread() const { return unread_; }
  upstream::Host& host() { return pool_.host(); }
  // The host's own: that of the route may be an aggregate.
  upstream::Cluster& cluster() { return pool_.cluster(); }
  // For the outlier detection of the host's own cluster.
  void report(upstream::Outcome outcome, uint16_t status);
  // Its answer said that the host goes.
  void says_goodbye();
  void says_degraded();
  // Its answer says of the host's load; false: it does not.
  bool take_load_report(const http::HeaderMap& fields);
  // What the access log says of the upstream is this attempt's.
  void claim_facts();
  // For the upstream's log.
  MonotonicTime began() const { return began_; }
  const http::ResponseHeaders* response() const { return response_; }
  std::optional<upstream::ResetReason> reset_reason() const { return reset_reason_; }
  uint64_t body_sent() const { return body_sent_; }
  uint64_t body_received() const { return body_received_; }
  http::ByteMeter bytes() { return stream_ != nullptr ? stream_->bytes() : bytes_; }

  // Its time was over, and another try was started beside it (hedging).
  bool retried = false;
  bool timeout_counted = false;
  std::optional<format::Flag> timeout_flag;  // its time was over, and it is given up

 private:
  friend class UpstreamFilters;
  // What passed the cluster's filters, or all when it has none: to the stream, and to the owner.
  void ask_for_stream(http::End end);
  void put_headers(const http::RequestHeaders& headers, http::End end);
  void put_data(buffer::Buffer& data, http::End end);
  void put_trailers(http::HeaderMap& trailers);
  void take_headers(http::ResponseHeaders& headers, http::End end);
  void take_data(buffer::Buffer& data, http::End end);
  void take_trailers(http::HeaderMap& trailers);
  // One of the filters keeps the response, or does not any more.
  void stop_stream(bool stopped);

  struct Timers {
    Timers(event::Loop& loop, Attempt& attempt);
    event::Timer whole, idle;
  };

  // upstream::PoolRequest
  void on_stream(upstream::UpstreamStream& stream) override;
  void on_no_stream(upstream::ResetReason reason, std::string_view details) override;
  upstream::StreamUser& user() override { return *this; }
  // upstream::StreamUser
  Arena& response_arena() override { return exchange_.arena(); }
  void on_interim(http::ResponseHeaders& headers) override;
  void on_response_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_response_data(buffer::Buffer& data, http::End end) override;
  void on_response_trailers(http::HeaderMap& trailers) override;
  void on_stream_reset(upstream::ResetReason reason, std::string_view details) override;
  void on_request_full(bool full) override;
  size_t response_room() const override { return exchange_.response_room(); }

  void begin_span();
  void pass_filters(http::End end);
  // The response is whole, but its filters may still have some of it.
  void leave_stream();
  void record_response_sizes(const http::ResponseHeaders& headers);
  void record_totals();
  void sent_all();
  void touch();
  void log_again();  // upstream_log_flush_interval begins
  void limit_life(Duration limit);
  void is_over();

  AttemptOwner& owner_;
  proxy::Exchange& exchange_;
  const RouterOptions& options_;
  const Timeouts& timeouts_;
  upstream::Pool& pool_;
  UpstreamLocals& locals_;
  upstream::PoolPin pin_;  // the log names the host
  upstream::UpstreamStream* stream_ = nullptr;
  buffer::Buffer waiting_;  // body that came before the stream
  http::HeaderMap* waiting_trailers_ = nullptr;
  Timers* timers_ = nullptr;  // while they run
  RawStream* raw_ = nullptr;
  UpstreamFilters* filters_ = nullptr;       // of the cluster, else the router's; null: none
  const net::Address* elsewhere_ = nullptr;  // where the stream went, if that is another address of the host
  event::Timer* log_interval_ = nullptr;     // null: there is none
  event::Timer* life_ = nullptr;             // max_stream_duration of the cluster; null: there is none
  MonotonicTime began_;
  const http::ResponseHeaders* response_ = nullptr;
  std::optional<upstream::ResetReason> reset_reason_;
  uint64_t body_sent_ = 0, body_received_ = 0;
  http::ByteMeter bytes_;           // when it is over
  http::End end_ = http::End::kNo;  // of the headers, then of waiting_
  uint8_t priority_ = 0;
  bool asked_ = false;  // for a stream: the headers have passed the filters
  bool headers_only_ = false;
  bool answered_ = false;
  bool sent_ = false;
  bool unread_ = false;
  bool interim_seen_ = false;
  bool heard_all_ = false;  // the stream has ended well
  bool over_ = false;
  trace::Span* span_ = nullptr;  // of this try, until it is over; null: none
};

}  // namespace sluice::filters::router
