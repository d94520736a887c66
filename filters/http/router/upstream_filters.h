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
// the next one finds. They may do all that filters may: the try asks for a stream when the headers have passed, so that
// nothing is held upstream while one of them pauses or collects. A local reply answers the exchange, and ends all its
// tries. Thread: worker.
class UpstreamFilters final : private proxy::ChainEnds {
 public:
  UpstreamFilters(Attempt& attempt, proxy::Exchange& exchange, const UpstreamFiltersPtr& filters,
                  std::span<const std::unique_ptr<proxy::FilterLocal>> locals)
      : attempt_(attempt), exchange_(exchange) {
    chain_.build(exchange, *this, *filters, locals);
  }

  void request_headers(http::RequestHeaders& headers, http::End end);
  void request_data(buffer::Buffer& data, http::End end);
  void request_trailers(http::HeaderMap& trailers);
  void response_headers(http::ResponseHeaders& headers, http::End end);
  void response_data(buffer::Buffer& data, http::End end);
  void response_trailers(http::HeaderMap& trailers);
  // The try is over: nothing that waits goes on, and resuming does nothing.
  void end();

 private:
  // proxy::ChainEnds
  void request_headers_passed(http::RequestHeaders& headers, http::End end) override;
  void request_data_passed(buffer::Buffer& data, http::End end) override;
  void request_trailers_passed(http::HeaderMap& trailers) override;
  void response_headers_passed(http::ResponseHeaders& headers, http::End end) override;
  void response_data_passed(buffer::Buffer& data, http::End end) override;
  void response_trailers_passed(http::HeaderMap& trailers) override;
  void stop_request(bool stopped) override;
  void stop_response(bool stopped) override;
  void request_too_large() override;
  void response_too_large() override;
  void filter_gave_up() override;
  bool request_ended() const override;
  bool response_ended() const override;

  Attempt& attempt_;
  proxy::Exchange& exchange_;
  proxy::FilterChain chain_;
  const http::ResponseHeaders* seen_ = nullptr;  // by the filters
};

}  // namespace sluice::filters::router
