// custom_response: puts an answer of the configuration in the place of answers that a matcher tree chooses.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/custom_response_filter
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "format/formatter.h"
#include "model/fact_inputs.h"
#include "model/header_rules.h"
#include "proxy/filter.h"

namespace sluice::filters::custom_response {

// What is answered instead. Thread: any (immutable).
class LocalResponse final : public match::Action {
 public:
  uint16_t status = 0;  // 0: that of the answer
  std::string body;
  std::optional<format::Formatter> format;  // of the body; LOCAL_REPLY_BODY is `body`
  std::string content_type;                 // empty: the usual one
  model::HeaderRules headers;
  std::string details;         // of the answer; empty:
  bool keeps_details = false;  // ... those of the answer that it replaces
};

// The filter's own, or a route's in place of it. Thread: any (immutable).
class Settings final : public model::FilterConfig {
 public:
  std::unique_ptr<const model::FactTree> tree;  // null: nothing is replaced
};

// Thread: any (immutable).
class CustomResponseFactory final : public proxy::HttpFilterFactory {
 public:
  CustomResponseFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override;
  uint8_t hooks() const override;
  const Settings& settings(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::custom_response
