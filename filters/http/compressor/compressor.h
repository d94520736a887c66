// compressor: packs bodies for those who understand it.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/compressor_filter
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/body_coding.h"
#include "match/string_matcher.h"
#include "proxy/filter.h"

namespace sluice::filters::compressor {

// Of one direction. Thread: any (immutable).
struct Direction {
  bool enabled = true;
  uint64_t min_length = 30;
  std::set<std::string, std::less<>> types;  // content types without parameters
  std::vector<match::StringMatcher> more_types;

  bool takes_type(std::string_view content_type) const;
};

// Thread: any (immutable).
struct Settings {
  std::string library;  // its name, for stats
  http::Packing packing;
  bool choose_first = false;  // before other compressors of the chain, when the client likes both as well
  Direction request, response;
  std::string response_stat_prefix;  // "response." when the configuration has its direction
  bool skip_etag = false;            // an answer with an ETag is left alone
  bool weaken_etag = false;          // a strong ETag becomes a weak one instead of going
  bool remove_accept_encoding = false;
  std::set<uint32_t> skip_statuses;
  bool status_header = false;  // x-envoy-compression-status
};

// What a route says. Thread: any (immutable).
class RouteSettings final : public model::FilterConfig {
 public:
  bool disabled = false;
  std::optional<bool> remove_accept_encoding;
};

// Thread: any (immutable).
class CompressorFactory final : public proxy::HttpFilterFactory {
 public:
  CompressorFactory(std::string_view name, Settings settings) : name_(name), settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings() const { return settings_; }
  http::Coding coding() const { return coding_of(settings_.packing); }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  Settings settings_;
};

}  // namespace sluice::filters::compressor
