// The router: the last HTTP filter. Answers direct responses and redirects, chooses a cluster and a host for what is
// forwarded, tries it there, perhaps again elsewhere, and passes the upstream's response back.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/router_filter
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "filters/http/router/attempt.h"
#include "filters/http/router/mirror.h"
#include "filters/http/router/retries.h"
#include "filters/http/router/router_options.h"
#include "filters/http/router/timeouts.h"
#include "filters/http/router/upstream_filters.h"
#include "model/route_apply.h"
#include "proxy/access_log/access_log.h"
#include "proxy/exchange.h"
#include "proxy/filter.h"
#include "proxy/route_counters.h"
#include "upstream/cluster_handle.h"

namespace sluice::filters::router {

// Owned by its HttpServer. Thread: worker.
class RouterLocal final : public proxy::FilterLocal {
 public:
  RouterLocal(const RouterOptions& options, const proxy::FilterPlace& place)
      : upstream_log(options.upstream_logs, place.log_sinks), upstream_filters(place) {}
  MirrorSet mirrors;
  proxy::AccessLog upstream_log;
  UpstreamLocals upstream_filters;
};

// Lives in the exchange's arena. Thread: worker.
class Router final : public proxy::HttpFilter, private AttemptOwner, private proxy::Tries {
 public:
  Router(proxy::Exchange& exchange, const RouterOptions& options, RouterLocal& local);
  ~Router() override { cut_mirrors(); }

  proxy::Step on_request_headers(proxy::Exchange&, http::RequestHeaders&, http::End) override;
  proxy::Step on_request_data(proxy::Exchange&, buffer::Buffer&, http::End) override;
  proxy::Step on_request_trailers(proxy::Exchange&, http::HeaderMap&) override;

 private:
  // AttemptOwner
  void on_stream(Attempt& attempt) override;
  void on_interim(Attempt& attempt, const http::ResponseHeaders& headers) override;
  void on_headers(Attempt& attempt, http::ResponseHeaders& headers, http::End end) override;
  void on_data(Attempt& attempt, buffer::Buffer& data, http::End end) override;
  void on_trailers(Attempt& attempt, http::HeaderMap& trailers) override;
  void on_failed(Attempt& attempt, upstream::ResetReason reason, std::string_view details) override;
  void on_try_timeout(Attempt& attempt) override;
  void on_try_idle(Attempt& attempt) override;
  void on_try_too_long(Attempt& attempt) override;
  void on_log_interval(Attempt& attempt) override;
  void on_over(Attempt& attempt) override;

  // proxy::Tries
  size_t request_room() override { return newest_ != nullptr ? newest_->request_room() : 0; }
  http::ByteMeter bytes_under_way() override;

  // ---- router.cc: what is done with a request
  proxy::Step direct(const model::DirectResponseAction& action);
  proxy::Step redirect(const model::RedirectAction& action, http::RequestHeaders& headers);
  proxy::Step forward(const model::ForwardAction& action, http::RequestHeaders& headers, http::End end);
  proxy::Step no_cluster(uint16_t status);
  proxy::Step refuse_field(const http::HeaderField& field);
  proxy::Step no_healthy_upstream();
  upstream::Wanted original_destination();
  std::optional<proxy::Reason> drops(double share);
  proxy::Step drop_request(proxy::Reason reason);
  upstream::Chosen choose_host();
  // The one that a filter has asked for; `found` is null when it is not there or not healthy.
  struct Override {
    bool asked = false;
    bool strict = false;
    upstream::Host* found = nullptr;
  };
  Override override_host();
  void choose_counters(const http::RequestHeaders& headers);
  void begin_mirrors(const std::vector<model::MirrorPolicy>& policies, http::End end);
  template <typename Send>
  void for_each_mirror(Send&& send) {
    for (Mirror* mirror = mirrors_.front(); mirror != nullptr;) {
      Mirror* next = mirrors_.next(*mirror);
      send(*mirror);
      mirror = next;
    }
  }
  void cut_mirrors();
  void count_for_host(Attempt& attempt, const http::ResponseHeaders& headers, http::End end);
  // `fields`: where a gRPC status may be; null: the call ended without.
  void count_grpc_for_host(Attempt& attempt, const http::HeaderMap* fields);
  void remove_spent_fields(http::RequestHeaders& headers);
  model::Originals originals() const {
    return options_.suppress_envoy_headers ? model::Originals::kOmit : model::Originals::kSet;
  }

  // ---- tries.cc: its tries, and whether there is another
  enum class Cause : uint8_t { kFailure, kTimeout };
  void begin_try(const upstream::Chosen& chosen, http::End end);
  void try_again();
  void on_request_complete();
  void keep(const buffer::Buffer& data);
  void forget_body();
  // Whether it is tried again; if so, the attempt is gone.
  bool send_again(const Attempt& attempt);
  bool retry_after_reset(Attempt& attempt, upstream::ResetReason reason, Cause cause);
  bool retry_after_headers(Attempt& attempt, http::ResponseHeaders& headers, bool& could_not);
  bool note(Retries::Verdict verdict, Attempt& attempt, Cause cause);
  bool others_may_answer(const Attempt& but);
  // Of all tries that are not over.
  void log_try(Attempt& attempt, format::LogType why);
  void drop(Attempt& attempt);
  void drop_all_but(const Attempt* kept);
  void give_up();
  Duration elapsed() const;

  // ---- answers.cc: what becomes of them
  void report_answer(Attempt& attempt, const http::ResponseHeaders& headers);
  void take_load_report(Attempt& attempt, const http::HeaderMap& fields);
  bool redirect_inside(Attempt& attempt, const http::ResponseHeaders& headers);
  void begin_again();
  void refuse_upgrade(Attempt& attempt, const http::ResponseHeaders& headers);
  void upstream_complete();
  void give_up_try(Attempt& attempt, proxy::Reason reason, stats::ClusterStat counter);
  void on_timeout();
  void abort(proxy::LocalReply reply);
  void count_failed(Attempt& attempt, uint16_t status);
  // An answer, or what is said instead of one. `host` is null when none was chosen, `answer` when none came.
  void count_code(uint16_t status, const upstream::Host* host, const http::ResponseHeaders* answer);
  // dynamic_stats, and it is no check of health.
  bool counts() const { return options_.dynamic_stats && !exchange_.facts().health_check; }

  proxy::Exchange& exchange_;
  const RouterOptions& options_;
  RouterLocal& local_;
  const model::ForwardAction* action_ = nullptr;
  upstream::ClusterHandle cluster_;
  proxy::RouteCharges charges_;
  upstream::AnswerOf answer_of_;
  upstream::LbRequest choice_;
  const model::MadeCookie* cookies_ = nullptr;  // that the response must set
  Timeouts timeouts_;
  uint16_t timeout_status_ = 504;
  IntrusiveList<Attempt, AttemptOwner> attempts_;  // that are not over
  Attempt* newest_ = nullptr;
  Attempt* answer_ = nullptr;  // whose response goes to the client
  Retries* retries_ = nullptr;
  Cause retry_cause_ = Cause::kFailure;
  buffer::Buffer kept_;  // the body so far, for the next try
  http::HeaderMap* trailers_ = nullptr;
  IntrusiveList<Mirror, MirrorFeed> mirrors_;  // that still take the request
  bool keeps_body_ = false;
  event::Timer* again_ = nullptr;  // set when an internal redirect is followed
  bool request_ended_ = false;
  bool load_reported_ = false;
  bool grpc_to_count_ = false;  // the answer's host: with what ends the answer
  event::Timer deadline_;
};

// Immutable, shared by all workers. Thread: any.
class RouterFactory final : public proxy::HttpFilterFactory {
 public:
  explicit RouterFactory(RouterOptions options) : options_(std::move(options)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override {
    return std::make_unique<RouterLocal>(options_, place);
  }
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override {
    return exchange.arena().create<Router>(exchange, options_, static_cast<RouterLocal&>(*local));
  }
  uint8_t hooks() const override { return proxy::hooks_of<Router>(); }
  const RouterOptions& options() const { return options_; }

 private:
  RouterOptions options_;
};

}  // namespace sluice::filters::router
