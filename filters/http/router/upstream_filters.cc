#include "filters/http/router/upstream_filters.h"

#include "filters/http/router/attempt.h"

namespace sluice::filters::router {

std::span<const std::unique_ptr<proxy::FilterLocal>> UpstreamLocals::of(const UpstreamFiltersPtr& filters,
                                                                        const upstream::ClusterShared* cluster) {
  if (const auto found = lists_.find(filters.get()); found != lists_.end()) {
    return found->second.locals;
  }
  // Lists that nobody else has any more.
  std::erase_if(lists_, [](const auto& one) { return one.second.filters.use_count() == 1; });
  List& list = lists_[filters.get()];
  list.filters = filters;
  const std::string prefix = cluster != nullptr ? cluster->plan->stat_prefix() : stat_prefix_;
  const stats::BlockId stats = cluster != nullptr ? cluster->stats : stats_;
  for (const model::FilterPlan& plan : *filters) {
    const auto& factory = static_cast<const proxy::HttpFilterFactory&>(*plan.config);
    list.locals.push_back(factory.on_worker({local_, clusters_, prefix, stats, nullptr, log_sinks_}));
  }
  return list.locals;
}

void UpstreamFilters::request_data_passed(buffer::Buffer& data, http::End end) { attempt_.put_data(data, end); }

void UpstreamFilters::request_trailers_passed(http::HeaderMap& trailers) { attempt_.put_trailers(trailers); }

void UpstreamFilters::response_headers_passed(http::ResponseHeaders& headers, http::End end) {
  attempt_.take_headers(headers, end);
}

void UpstreamFilters::response_data_passed(buffer::Buffer& data, http::End end) { attempt_.take_data(data, end); }

void UpstreamFilters::response_trailers_passed(http::HeaderMap& trailers) { attempt_.take_trailers(trailers); }

bool UpstreamFilters::request_ended() const { return attempt_.over(); }

bool UpstreamFilters::response_ended() const { return attempt_.over(); }

}  // namespace sluice::filters::router
