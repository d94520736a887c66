// header_to_metadata: writes headers and cookies, or their absence, into the dynamic metadata.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/header_to_metadata_filter
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/route_match.h"
#include "proxy/filter.h"

namespace sluice::filters::header_to_metadata {

// What is written. Thread: any (immutable).
struct Target {
  enum class Type : uint8_t { kText, kNumber, kProtobufValue };
  std::string space, key;
  std::string value;  // instead of the header's; empty: none
  std::shared_ptr<const model::RegexRewrite> rewrite;
  Type type = Type::kText;
  bool base64 = false;  // the header holds the value so
};

// Of a header or a cookie. Thread: any (immutable).
struct Rule {
  std::string header;  // lower case; empty: a cookie
  std::string cookie;
  std::optional<Target> present, missing;
  bool remove = false;  // the header, once it was read
};

// The filter's own, or a route's in place of it. Thread: any (immutable).
class Rules final : public model::FilterConfig {
 public:
  std::vector<Rule> request, response;
};

// Thread: any (immutable).
class HeaderToMetadataFactory final : public proxy::HttpFilterFactory {
 public:
  HeaderToMetadataFactory(std::string_view name, std::shared_ptr<const Rules> rules)
      : name_(name), rules_(std::move(rules)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override;
  uint8_t hooks() const override;
  const Rules& rules(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace sluice::filters::header_to_metadata
