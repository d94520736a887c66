// The router: the last HTTP filter. Answers direct responses and redirects, chooses a cluster and a host for what is
// forwarded, and passes the upstream's response back.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/router_filter
#pragma once

#include <cstdint>
#include <string_view>

#include "event/loop.h"
#include "filters/http/router/attempt.h"
#include "model/route_apply.h"
#include "proxy/exchange.h"
#include "proxy/filter.h"
#include "upstream/cluster.h"

namespace sluice::filters::router {

// What the filter's configuration says.
struct RouterOptions {
  bool suppress_envoy_headers = false;
};

// Lives in the exchange's arena. Thread: worker.
class Router final : public proxy::HttpFilter, private AttemptOwner {
 public:
  Router(proxy::Exchange& exchange, const RouterOptions& options);

  proxy::Step on_request_headers(proxy::Exchange&, http::RequestHeaders&, http::End) override;
  proxy::Step on_request_data(proxy::Exchange&, buffer::Buffer&, http::End) override;
  proxy::Step on_request_trailers(proxy::Exchange&, http::HeaderMap&) override;

 private:
  // AttemptOwner
  void on_headers(Attempt& attempt, http::ResponseHeaders& headers, http::End end) override;
  void on_data(Attempt& attempt, buffer::Buffer& data, http::End end) override;
  void on_trailers(Attempt& attempt, http::HeaderMap& trailers) override;
  void on_failed(Attempt& attempt, upstream::ResetReason reason, std::string_view details) override;

  proxy::Step direct(const model::DirectResponseAction& action);
  proxy::Step redirect(const model::RedirectAction& action, http::RequestHeaders& headers);
  proxy::Step forward(const model::ForwardAction& action, http::RequestHeaders& headers, http::End end);
  proxy::Step no_cluster(uint16_t status);
  upstream::LbRequest lb_request(const model::ForwardAction& action, const http::RequestHeaders& headers);
  void set_timeout(const model::ForwardAction& action, http::RequestHeaders& headers);
  void arm_deadline();
  void on_timeout();
  void upstream_complete();
  void refuse_upgrade(uint16_t status);
  void give_up();
  model::Originals originals() const {
    return options_.suppress_envoy_headers ? model::Originals::kOmit : model::Originals::kSet;
  }

  proxy::Exchange& exchange_;
  const RouterOptions& options_;
  upstream::Cluster* cluster_ = nullptr;
  upstream::Host* host_ = nullptr;
  upstream::PoolPin pin_;
  const model::MadeCookie* cookies_ = nullptr;  // that the response must set
  Attempt* attempt_ = nullptr;
  Duration timeout_{0};
  bool per_try_ = false;  // it is x-envoy-upstream-rq-per-try-timeout-ms
  event::Timer deadline_;
};

// Immutable, shared by all workers. Thread: any.
class RouterFactory final : public proxy::HttpFilterFactory {
 public:
  explicit RouterFactory(RouterOptions options) : options_(options) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override {
    return exchange.arena().create<Router>(exchange, options_);
  }
  uint8_t hooks() const override { return proxy::hooks_of<Router>(); }

 private:
  RouterOptions options_;
};

}  // namespace sluice::filters::router
