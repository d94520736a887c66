// Exchange: one request and its response, from the first byte to the access log. The file to start reading: the order
// of its steps is docs/life_of_a_request.md.
//
//   request:   headers -> (data)* -> (trailers) -> complete
//   response:  none -> headers sent -> (data)* -> complete
//   finish() runs exactly once: when both are complete, or when either side is cut.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/intrusive_list.h"
#include "event/loop.h"
#include "format/facts.h"
#include "http/codec.h"
#include "http/message.h"
#include "model/http_plan.h"
#include "net/read_gate.h"
#include "proxy/filter_chain.h"
#include "proxy/local_reply.h"
#include "stats/names_http.h"
#include "upstream/cluster_set.h"

namespace sluice::proxy {

class DownstreamConnection;
class ExchangeTrace;
class RouteCounters;

// The tries of an exchange against its upstream. Thread: worker.
class Tries {
 public:
  // How many request bytes the upstream has room for.
  virtual size_t request_room() = 0;
  // What those under way took so far: facts have only those that are over.
  virtual http::ByteMeter bytes_under_way() = 0;

 protected:
  ~Tries() = default;
};

// Owned by its DownstreamConnection; destroyed through the loop after finish(). Thread: worker.
class Exchange final : public event::Deferred,
                       public IntrusiveNode<DownstreamConnection>,
                       private ChainEnds,
                       private format::LiveBytes {
 public:
  Exchange(DownstreamConnection& connection, http::StreamId stream);
  ~Exchange() override;

  // --- for filters ---
  Arena& arena() { return arena_; }
  // Null only in an exchange that the codec could not parse.
  http::RequestHeaders* request() { return request_; }
  // Null before the response.
  http::ResponseHeaders* response() { return response_; }
  // What the facts say of the upstream's TLS, which may outlive its connection; null: none.
  void keep_upstream_tls(const net::TlsFacts* tls) {
    upstream_tls_ = tls != nullptr ? tls->texts().shared_from_this() : nullptr;
    facts_.upstream_tls = upstream_tls_.get();
  }
  // The same for the metadata of a host; null: it has none.
  const Metadata* keep_upstream_metadata(const upstream::Host& host) {
    if (!host.has_metadata.load(std::memory_order_relaxed)) return nullptr;
    upstream_metadata_ = host.metadata.load();
    return upstream_metadata_.get();
  }
  format::Facts& facts() { return facts_; }
  const format::Facts& facts() const { return facts_; }
  const model::HttpPlan& plan() const;
  const model::RouteChoice& route() const { return route_; }
  // The weighted cluster that was drawn, or null.
  const model::WeightedCluster* weighted() const { return weighted_; }
  uint64_t stable_random() const { return stable_random_; }
  // The client wants the connection to become a tunnel (Upgrade or CONNECT).
  bool upgrade_asked() const { return upgrade_asked_; }
  // The client is in internal_address_config.
  bool internal() const { return internal_; }
  // POST /healthcheck/fail: this proxy says that it is not well.
  bool health_failed() const;
  // What the most specific level (weighted cluster, route, virtual host, table) that names the filter says of it; null
  // when none does. Its config is null when it only switches the filter on or off.
  const model::FilterOverride* find_override(std::string_view filter_name) const;
  // The settings of that level as a T; null when there are none, or settings of another filter under that name.
  template <typename T>
  const T* settings_for(std::string_view filter_name) const {
    const model::FilterOverride* found = find_override(filter_name);
    return found == nullptr ? nullptr : dynamic_cast<const T*>(found->config.get());
  }
  // Whether a filter of its connection manager acts on it, by the configuration and what the route says of it.
  bool in_force(const model::FilterPlan& filter) const {
    const model::FilterOverride* found = find_override(filter.name);
    return !(found == nullptr ? filter.disabled : found->disabled);
  }
  // Chooses the route again, for the request as it is now. The filters stay.
  void reroute() { find_route(internal_); }
  // The table that routes are looked for in; null: there is none.
  const model::RouteTable* route_table();
  // From now on that is the newest one.
  void renew_routes();
  // The client wants an upgrade, and its route allows none of that kind.
  bool upgrade_refused() const;
  // What filters leave for others; made on first use. Facts have it too, null while there is none.
  Metadata& metadata();
  FilterState& filter_state();
  // See FilterChain; of the chain whose hook runs.
  void add_body(buffer::Buffer&& body) { acting_->add_body(std::move(body)); }
  http::HeaderMap& add_trailers() { return acting_->add_trailers(); }
  // While a chain walks on behalf of the exchange: its own, where none is given, or that of one of its tries.
  class Acting {
   public:
    explicit Acting(Exchange& exchange) : Acting(exchange, exchange.chain_) {}
    Acting(Exchange& exchange, FilterChain& chain)
        : exchange_(exchange), before_(std::exchange(exchange.acting_, &chain)) {}
    ~Acting() { exchange_.acting_ = before_; }
    Acting(const Acting&) = delete;
    Acting& operator=(const Acting&) = delete;

   private:
    Exchange& exchange_;
    FilterChain* const before_;
  };
  // What a filter keeps for the whole connection, under a key of its own (its settings, say); null at first.
  std::unique_ptr<FilterLocal>& connection_local(const model::FilterConfig& key);
  upstream::WorkerLocal& local() { return local_; }
  upstream::ClusterSet& clusters();
  stats::Block<stats::HttpStat>& block();
  RouteCounters& route_counters();
  // Null: nothing traces requests here.
  ExchangeTrace* trace() { return trace_; }

  // Answers here and now, through the response side of the filters. When the response has begun, the connection is
  // cut instead. Always returns Step::taken().
  Step reply(const LocalReply& reply);
  bool answered_locally() const { return answered_locally_; }

  // The filters that its newest try passes beside those of its connection manager; null: none.
  const std::vector<model::FilterPlan>* try_filters() const { return try_filters_; }

  // --- for the router ---
  void name_try_filters(const std::vector<model::FilterPlan>& filters) { try_filters_ = &filters; }
  // Interim responses pass by the filters.
  void respond_interim(http::ResponseHeaders& headers);
  void respond_headers(http::ResponseHeaders& headers, http::End end);
  void respond_data(buffer::Buffer& data, http::End end);
  void respond_trailers(http::HeaderMap& trailers);
  // The upstream failed after the response had begun: the client must see that it is cut.
  void cut_response(std::string_view details, std::optional<format::Flag> flag);
  // Reasons not to read the request.
  net::ReadGate& request_gate();
  // How many response bytes the client's side takes before it is above its high mark.
  size_t response_room() const;
  // Set by the router while there are tries; outlives its use, or is taken back.
  void set_tries(Tries* tries) { tries_ = tries; }
  size_t request_room() const { return tries_ == nullptr ? 0 : tries_->request_room(); }
  bool request_complete() const { return request_complete_; }
  // Internal redirects. look_up_route() finds the route for the headers as they are now, and changes nothing.
  model::RouteChoice look_up_route();
  // What routes are matched by, beside the headers.
  model::MatchInputs match_inputs() const;
  uint32_t redirects() const { return redirects_; }
  // What the log says of where the request went, from now on; an empty cluster is none.
  void name_target(std::string_view route, std::string_view cluster) {
    facts_.route_name = route;
    facts_.cluster = facts_.cluster_raw = cluster;
    target_named_ = true;
  }
  // There was one from that route to the other.
  bool was_redirected(const model::Route* from, const model::Route* to) const;
  // The headers are those of a redirect to `target` now; begin_again() must follow.
  void note_redirect(const model::Route* target);
  // Logs what was so far, and begins again with the request as its headers say now. It is complete, `body` is all of
  // it. Not from inside a hook of a filter.
  void begin_again(buffer::Buffer& body, http::HeaderMap* trailers);
  // How much of a request body may be kept when its route does not say it.
  uint64_t body_buffer_limit() const;
  bool response_begun() const { return response_begun_; }
  // Called when the output towards the client rises above its limit (true) and when it has room again.
  void on_response_full(Function<void(bool full)> hook) { on_response_full_ = std::move(hook); }
  // It is so now: also for who asks before the hook was there.
  bool response_stopped() const { return response_stops_ != 0; }
  // Called once if the exchange ends before its response is complete: the try upstream is given up.
  void on_abort(Function<void()> hook) { on_abort_ = std::move(hook); }
  // Called when the last byte of the request has arrived; at once if it has.
  void when_request_complete(Function<void()> hook);

  // --- for the connection ---
  http::StreamId stream() const { return stream_; }
  void on_headers(http::RequestHeaders& headers, http::End end);
  void on_data(buffer::Buffer& data, http::End end);
  void on_trailers(http::HeaderMap& trailers);
  // The client is gone, or the connection is cut; `details` says by whom.
  void abort(std::string_view details, std::optional<format::Flag> flag);
  // After finish(): writes the line, and goes.
  void end();
  // The message was refused by the codec.
  void refuse(const http::CodecError& error);
  void on_downstream_full(bool full);
  void on_stream_full(bool full);
  bool finished() const { return finished_; }
  bool response_complete() const { return response_complete_; }

  // --- for the filter chain ---
  bool has_overrides() const;
  template <typename Visit>
  void for_each_override_level(Visit&& visit) const {
    if (weighted_ != nullptr) visit(weighted_->overrides);
    if (route_.route != nullptr) visit(route_.route->overrides);
    if (route_.host != nullptr) {
      visit(route_.host->overrides);
      visit(route_.host->table->overrides);
    }
  }

  static void* operator new(size_t bytes);
  static void operator delete(void* memory, size_t bytes);

 private:
  void find_route(bool internal);
  void begin_facts();
  void begin_trace();
  void enter_chain(http::RequestHeaders& headers, http::End end);

  // format::LiveBytes
  http::ByteMeter downstream_bytes() const override;
  http::ByteMeter upstream_bytes() const override;

  // ChainEnds
  void response_headers_passed(http::ResponseHeaders& headers, http::End end) override;
  void response_data_passed(buffer::Buffer& data, http::End end) override;
  void response_trailers_passed(http::HeaderMap& trailers) override;
  void stop_request(bool stopped) override;
  void stop_response(bool stopped) override;
  void request_too_large() override;
  void response_too_large() override;
  void filter_gave_up() override;
  bool request_ended() const override { return answered_locally_ || response_complete_ || finished_; }
  bool response_ended() const override { return finished_; }

  // Why the upstream's response is not to be read.
  enum ResponseStop : uint8_t { kClientFull = 1, kFilterPaused = 2, kStreamFull = 4 };
  void set_response_stop(ResponseStop reason, bool stopped);
  void note_request_end();
  void request_is_complete();
  void response_is_complete();
  void log(format::LogType type);
  void finish();
  void arm_timers();
  void refuse_for_overload();
  void on_stream_idle();
  void touch() {
    if (stream_idle_.armed()) stream_idle_.arm(idle_timeout_);
  }

  DownstreamConnection& connection_;
  upstream::WorkerLocal& local_;
  const http::StreamId stream_;
  Arena arena_;
  http::RequestHeaders* request_ = nullptr;
  http::ResponseHeaders* response_ = nullptr;
  model::RouteTablePtr routes_;                      // of rds or scopes; null: the plan's own
  std::vector<model::RouteTablePtr> former_routes_;  // that it looked into before
  model::RouteChoice route_;
  const model::WeightedCluster* weighted_ = nullptr;
  Metadata* metadata_ = nullptr;
  FilterState* filter_state_ = nullptr;
  uint64_t stable_random_ = 0;
  FilterChain chain_;
  FilterChain* acting_ = &chain_;
  const std::vector<model::FilterPlan>* try_filters_ = nullptr;
  format::Facts facts_;
  std::shared_ptr<const net::TlsTexts> upstream_tls_;
  MetadataPtr upstream_metadata_;
  Duration idle_timeout_{0};
  net::ReadGate gate_;  // of a stream; HTTP/1 stops its connection
  event::Timer stream_idle_;
  event::Timer deadline_;  // request_timeout while the request comes in
  event::Timer max_duration_;
  ExchangeTrace* trace_ = nullptr;     // in the arena
  event::Timer* log_timer_ = nullptr;  // of lines between; in the arena, null when none are wanted
  Function<void(bool)> on_response_full_;
  Function<void()> on_abort_;
  Function<void()> on_request_complete_;
  Tries* tries_ = nullptr;
  // The hops of internal redirects, latest first.
  struct Redirect {
    const model::Route* from;
    const model::Route* to;
    const Redirect* next;
  };
  const Redirect* redirected_ = nullptr;
  uint32_t redirects_ = 0;
  bool target_named_ = false;
  uint8_t response_stops_ = 0;
  bool internal_ = false;
  bool upgrade_asked_ = false;
  bool request_complete_ = false;
  bool response_begun_ = false;
  bool response_complete_ = false;
  bool answered_locally_ = false;
  bool finished_ = false;
  bool line_waits_ = false;  // end() is to come
  bool grpc_ = false;        // what the client sent was, whatever filters make of it
};

}  // namespace sluice::proxy
