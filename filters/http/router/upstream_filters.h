// UpstreamFilters: the HTTP filters of a cluster (HttpProtocolOptions.http_filters), or the router's
// upstream_http_filters where the cluster has none: each try passes them between the router and its stream.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/upstream_filters
#pragma once

#include <vector>

#include "model/filter_plan.h"
#include "proxy/exchange.h"
#include "proxy/filter_chain.h"

namespace sluice::filters::router {

class Attempt;

// Lives in the exchange's arena, as its attempt does. The filters see the exchange's own headers, so what one try adds
// the next one finds. Only filters that answer at once may stand here (HttpFilterType::upstream): none of them stops
// anything. Thread: worker.
class UpstreamFilters final : private proxy::ChainEnds {
 public:
  UpstreamFilters(Attempt& attempt, proxy::Exchange& exchange, const std::vector<model::FilterPlan>& filters)
      : attempt_(attempt) {
    chain_.build(exchange, *this, filters, {});
  }
  proxy::FilterChain& chain() { return chain_; }

 private:
  void request_headers_passed(http::RequestHeaders& headers, http::End end) override;
  void request_data_passed(buffer::Buffer& data, http::End end) override;
  void request_trailers_passed(http::HeaderMap& trailers) override;
  void response_headers_passed(http::ResponseHeaders& headers, http::End end) override;
  void response_data_passed(buffer::Buffer& data, http::End end) override;
  void response_trailers_passed(http::HeaderMap& trailers) override;
  void stop_request(bool) override {}
  void stop_response(bool) override {}
  void request_too_large() override {}
  void response_too_large() override {}
  void filter_gave_up() override {}
  bool request_ended() const override;
  bool response_ended() const override;

  Attempt& attempt_;
  proxy::FilterChain chain_;
};

}  // namespace sluice::filters::router
