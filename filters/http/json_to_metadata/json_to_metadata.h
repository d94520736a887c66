// json_to_metadata: writes values of JSON bodies into the dynamic metadata. The body goes on as it is.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/json_to_metadata_filter
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "match/regex.h"
#include "proxy/filter.h"

namespace sluice::filters::json_to_metadata {

// What is written. Thread: any (immutable).
struct Target {
  enum class Type : uint8_t { kValue, kText, kNumber };
  std::string space, key;
  std::optional<Value> value;  // instead of what the body holds
  Type type = Type::kValue;
  bool keeps_present = false;  // a value that is there already stays
};

// Thread: any (immutable).
struct Rule {
  std::vector<std::string> path;
  std::optional<Target> present, missing, error;
};

// Of one direction. Thread: any (immutable).
struct Rules {
  std::vector<Rule> rules;
  std::vector<std::string> content_types;  // whole types without parameters
  match::Regex content_type_regex;
  bool no_content_type_too = false;

  bool takes(std::string_view content_type) const;
};

// The filter's own, or a route's in place of it. Thread: any (immutable).
class Settings final : public model::FilterConfig {
 public:
  Rules request, response;
};

// Thread: any (immutable).
class JsonToMetadataFactory final : public proxy::HttpFilterFactory {
 public:
  JsonToMetadataFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::json_to_metadata
