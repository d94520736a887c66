// UpstreamFilters: the HTTP filters of a cluster (HttpProtocolOptions.http_filters), or the router's
// upstream_http_filters where the cluster has none: each try passes them between the router and its stream.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/upstream_filters
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/filter_plan.h"
#include "proxy/exchange.h"
#include "proxy/filter_chain.h"

namespace sluice::filters::router {

class Attempt;

using UpstreamFiltersPtr = std::shared_ptr<const std::vector<model::FilterPlan>>;

// What such filters keep on a worker: of each list from its first try on, until its cluster is gone. Part of a
// RouterLocal. Thread: worker.
class UpstreamLocals {
 public:
  explicit UpstreamLocals(const proxy::FilterPlace& place)
      : local_(place.local),
        clusters_(place.clusters),
        stat_prefix_(place.stat_prefix),
        stats_(place.stats),
        log_sinks_(place.log_sinks) {}
  // `cluster`: whose filters they are; null: the router's own.
  std::span<const std::unique_ptr<proxy::FilterLocal>> of(const UpstreamFiltersPtr& filters,
                                                          const upstream::ClusterShared* cluster);

 private:
  struct List {
    UpstreamFiltersPtr filters;
    std::vector<std::unique_ptr<proxy::FilterLocal>> locals;
  };
  upstream::WorkerLocal& local_;
  upstream::ClusterSet& clusters_;
  const std::string stat_prefix_;
  const stats::BlockId stats_;
  proxy::LogSinks* log_sinks_;
  std::map<const void*, List> lists_;
};

// Lives in the exchange's arena, as its attempt does. The filters see the exchange's own headers, so what one try adds
// the next one finds. The headers pass before there is a stream, and a filter may answer instead of the upstream; but
// only filters that decide at once may stand here (HttpFilterType::upstream): none of them stops anything. Thread:
// worker.
class UpstreamFilters final : private proxy::ChainEnds {
 public:
  UpstreamFilters(Attempt& attempt, proxy::Exchange& exchange, const UpstreamFiltersPtr& filters,
                  std::span<const std::unique_ptr<proxy::FilterLocal>> locals)
      : attempt_(attempt) {
    chain_.build(exchange, *this, *filters, locals);
  }
  proxy::FilterChain& chain() { return chain_; }

 private:
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
