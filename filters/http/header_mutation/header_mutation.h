// header_mutation: changes headers and trailers of requests and responses, by its own list and by lists of the route,
// the virtual host and the route configuration.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/header_mutation_filter
#pragma once

#include <string>

#include "filters/http/header_mutation/query_mutations.h"
#include "model/filter_plan.h"
#include "model/header_mutations.h"
#include "proxy/exchange.h"
#include "proxy/filter.h"

namespace sluice::filters::header_mutation {

// Thread: any (immutable).
struct Mutations {
  model::HeaderMutations request, request_trailers, response, response_trailers;
  QueryMutations query;  // of the request, before its headers
};

// One level's settings for a route. Thread: any (immutable).
class RouteMutations final : public model::FilterConfig {
 public:
  explicit RouteMutations(Mutations all) : mutations(std::move(all)) {}
  Mutations mutations;
};

// Which level acts last, and so wins where both overwrite.
enum class Last : uint8_t { kRouteConfiguration, kRoute };

// Makes the instances; they hold nothing but a reference to it. Thread: any (immutable).
class HeaderMutationFactory final : public proxy::HttpFilterFactory {
 public:
  // `name` is the filter's, under which routes have their settings for it.
  HeaderMutationFactory(std::string_view name, Mutations mutations, Last last)
      : name_(name), mutations_(std::move(mutations)), last_(last) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override;
  uint8_t hooks() const override;

  // Calls visit(const Mutations&) for the filter's own list and those of the exchange's route, in the order of action.
  template <typename Visit>
  void for_each(const proxy::Exchange& exchange, Visit&& visit) const {
    visit(mutations_);
    const Mutations* levels[4];  // the most specific first
    size_t count = 0;
    exchange.for_each_override_level([&](const model::FilterOverrides& overrides) {
      for (const model::FilterOverride& one : overrides) {
        if (one.filter_name != name_) continue;
        if (const auto* settings = dynamic_cast<const RouteMutations*>(one.config.get())) {
          levels[count++] = &settings->mutations;
        }
      }
    });
    for (size_t i = 0; i < count; ++i) visit(*levels[last_ == Last::kRouteConfiguration ? i : count - 1 - i]);
  }

 private:
  std::string name_;
  Mutations mutations_;
  Last last_;
};

}  // namespace sluice::filters::header_mutation
