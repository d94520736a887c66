// match_delegate: a filter inside of a matcher tree (ExtensionWithMatcher): the tree skips it for some requests, or
// (composite) chooses which filter it is.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/composite_filter
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/fact_inputs.h"
#include "model/route_match.h"
#include "proxy/filter.h"

namespace sluice::filters::match_delegate {

using TreePtr = std::shared_ptr<const model::FactTree>;

// The filter is left out. Thread: any (immutable).
class Skip final : public match::Action {};

// This filter is taken. Thread: any (immutable).
class Execute final : public match::Action {
 public:
  std::shared_ptr<const proxy::HttpFilterFactory> factory;
  model::Fraction sample{.numerator = 100, .denominator = 100, .runtime_key = {}};
};

// A route's tree in place of the filter's own. Thread: any (immutable).
class RouteTree final : public model::FilterConfig {
 public:
  explicit RouteTree(TreePtr the_tree) : tree(std::move(the_tree)) {}
  TreePtr tree;
};

// Thread: any (immutable).
class MatchDelegateFactory final : public proxy::HttpFilterFactory {
 public:
  // `inner` is null for a composite.
  MatchDelegateFactory(std::string_view name, std::shared_ptr<const proxy::HttpFilterFactory> inner, TreePtr tree)
      : name_(name), inner_(std::move(inner)), tree_(std::move(tree)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;

  const proxy::HttpFilterFactory* inner() const { return inner_.get(); }
  // Null: nothing matches.
  const match::Action* find(proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const proxy::HttpFilterFactory> inner_;
  TreePtr tree_;
};

}  // namespace sluice::filters::match_delegate
