// decompressor: unpacks bodies, so that the filters behind it, or the receiver, need not.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/decompressor_filter
#pragma once

#include <string>

#include "http/body_coding.h"
#include "proxy/filter.h"

namespace sluice::filters::decompressor {

// Of one direction. Thread: any (immutable).
struct Direction {
  bool enabled = true;
  bool ignore_no_transform = false;
};

// Thread: any (immutable).
struct Settings {
  std::string library;  // its name, for stats
  // Of the trailers that tell how many bytes came and were made of them; empty: the library's name is no part of a
  // name.
  std::string packed_name, unpacked_name;
  http::Unpacking unpacking;
  Direction request, response;
  bool advertises = true;  // the coding in accept-encoding, to the upstream
};

// Thread: any (immutable).
class DecompressorFactory final : public proxy::HttpFilterFactory {
 public:
  explicit DecompressorFactory(Settings settings) : settings_(std::move(settings)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings() const { return settings_; }

 private:
  Settings settings_;
};

}  // namespace sluice::filters::decompressor
