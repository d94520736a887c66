// ConfigSource: where resources come from while the process runs: a watched file, the aggregated stream of the
// bootstrap, or a control plane of its own.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/config_source.proto
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/google_grpc.h"

namespace sluice::model {

// An ApiConfigSource. Immutable. Thread: any.
struct ApiSource {
  enum class Protocol : uint8_t { kSotw, kDelta, kRest };
  Protocol protocol = Protocol::kSotw;
  std::string cluster;  // of the control plane; empty: by google_grpc
  std::optional<GoogleGrpc> google_grpc;
  std::string authority;                                      // empty: the cluster's name
  std::vector<std::pair<std::string, std::string>> metadata;  // initial_metadata
  bool node_once = false;                                     // set_node_on_first_message_only
  bool rate_limited = false;                                  // rate_limit_settings is there
  uint32_t max_message_bytes = 0;                             // of one response; 0: as much as there is
  uint32_t max_tokens = 100;
  double fill_rate = 10;  // tokens in a second
  Duration back_off_base = std::chrono::milliseconds(500), back_off_max = std::chrono::seconds(30);
  Duration refresh_delay{0};  // REST
  Duration request_timeout = std::chrono::seconds(1);
  friend bool operator==(const ApiSource&, const ApiSource&) = default;
};

// Immutable. Thread: any.
struct ConfigSource {
  enum class Kind : uint8_t { kNone, kFile, kAds, kApi };
  Kind kind = Kind::kNone;
  std::string path;                                           // kFile
  std::string directory;                                      // watched instead of the file: any rename into it counts
  std::shared_ptr<const ApiSource> api;                       // kApi
  Duration initial_fetch_timeout = std::chrono::seconds(15);  // 0: for ever

  explicit operator bool() const { return kind != Kind::kNone; }
  friend bool operator==(const ConfigSource& a, const ConfigSource& b) {
    return a.kind == b.kind && a.path == b.path && a.directory == b.directory &&
           a.initial_fetch_timeout == b.initial_fetch_timeout &&
           (a.api == b.api || (a.api != nullptr && b.api != nullptr && *a.api == *b.api));
  }
};

}  // namespace sluice::model
