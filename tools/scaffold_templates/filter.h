// NAME: writes x-NAME into each answer. Say here what the filter is for, in one or two sentences.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "proxy/filter.h"

namespace sluice::filters::NAME {

// What a route, virtual host or route table says. Thread: any (immutable).
class RouteSettings final : public model::FilterConfig {
 public:
  explicit RouteSettings(std::string its_text) : text(std::move(its_text)) {}
  const std::string text;
};

// The compiled configuration. Thread: any (immutable).
class NameFactory final : public proxy::HttpFilterFactory {
 public:
  NameFactory(std::string_view name, std::string text) : name_(name), text_(std::move(text)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override;
  uint8_t hooks() const override;
  // For that exchange's route; lives as long as the configuration does.
  std::string_view text(const proxy::Exchange& exchange) const;

 private:
  const std::string name_;  // under which typed_per_filter_config names the filter
  const std::string text_;
};

}  // namespace sluice::filters::NAME
