// HttpPlan: a connection manager's configuration, compiled. Held by its filter chain, read by every exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "http/codec.h"
#include "http/http2_options.h"
#include "http/joined_fields.h"
#include "http/path.h"
#include "match/string_matcher.h"
#include "model/client_detection.h"
#include "model/discovered.h"
#include "model/filter_plan.h"
#include "model/header_mutations.h"
#include "model/header_rules.h"
#include "model/listener_plan.h"
#include "model/local_reply_plan.h"
#include "model/route_table.h"
#include "model/scoped_routes.h"
#include "net/address.h"

namespace sluice::model {

enum class ServerHeader : uint8_t { kOverwrite, kAppendIfAbsent, kPassThrough };
enum class ClientCertDetails : uint8_t { kSanitize, kForwardOnly, kAppendForward, kSanitizeSet, kAlwaysForwardOnly };
// What SANITIZE_SET and APPEND_FORWARD say of the client's certificate beside its hash.
struct ClientCertParts {
  bool cert = false, chain = false, subject = false, uri = false, dns = false, issuer = false;
  bool json = false;  // an array of objects, where nothing came that is none
};
// What Proxy-Status says (RFC 9209).
struct ProxyStatusPlan {
  std::string name;  // of this proxy
  bool details = true, termination_details = true, flags = true;
  bool recommended_status = false;  // the status that the RFC recommends for the error takes the place of the own one
};
using http::EscapedSlashes;
enum class CodecType : uint8_t { kAuto, kHttp1, kHttp2 };

// Defaults are Envoy's (features.md, timeouts). A zero duration means: none. Immutable. Thread: any.
class HttpPlan final : public NetworkFilterPlan {
 public:
  std::string stat_prefix;
  CodecType codec_type = CodecType::kAuto;
  http::CodecOptions codec;
  http::Http2Options http2;
  std::vector<match::StringMatcher> ignored_upgrades;     // what codec.ignored_upgrades views
  std::string default_host;                               // what codec.default_host_for_http_10 views
  std::vector<FilterPlan> filters;                        // in order; the last one is terminal (router)
  std::shared_ptr<const class AccessLogSet> access_logs;  // null: none
  std::shared_ptr<const struct TracingPlan> tracing;      // null: none
  bool log_at_start = false;                              // a line also when the request begins
  bool log_at_tunnel = false;                             // ... and when a tunnel is there
  Duration log_interval{0};                               // ... and so often until the end; 0: no
  std::optional<LocalReplyPlan> local_reply;
  std::shared_ptr<const http::InlineHeaders> inline_headers = http::InlineHeaders::builtin();  // never null

  // One of the three.
  RouteTablePtr routes;                   // inline route_config
  std::shared_ptr<RouteSlot> route_slot;  // rds
  std::shared_ptr<const ScopedRoutes> scopes;

  Duration idle_timeout = std::chrono::hours(1);
  Duration max_connection_duration{0};
  Duration max_stream_duration{0};
  uint32_t max_requests_per_connection = 0;
  Duration stream_idle_timeout = std::chrono::minutes(5);
  Duration request_timeout{0};
  Duration request_headers_timeout{0};
  Duration drain_timeout = std::chrono::seconds(5);
  Duration delayed_close_timeout = std::chrono::seconds(1);
  // Runtime keys overload.premature_reset_*: an HTTP/2 client is cut when half of so many streams came to nothing.
  uint32_t premature_reset_streams = 500;
  Duration premature_reset_lifetime = std::chrono::seconds(1);

  std::string server_name = "envoy";
  ServerHeader server_header = ServerHeader::kOverwrite;
  // Changed before anything below is decided, as if the client had sent it so (early_header_mutation_extensions); null:
  // nothing.
  std::shared_ptr<const HeaderMutations> early_mutations;
  std::string via;
  std::shared_ptr<const ProxyStatusPlan> proxy_status;  // null: failures are not told
  bool use_remote_address = false;
  uint32_t xff_num_trusted_hops = 0;
  bool skip_xff_append = false;
  std::vector<net::Cidr> internal_ranges;
  bool internal_unix_sockets = false;
  // x-forwarded-proto by the port that the client asked for, when another than the socket's is known (PROXY protocol);
  // the first line of a port counts.
  std::vector<std::pair<uint32_t, std::string_view>> forward_proto;
  std::vector<ClientDetection> detections;  // the first that finds the client counts; empty: the rules above
  bool add_user_agent = false;
  bool generate_request_id = true;
  bool preserve_external_request_id = false;
  bool always_set_request_id_in_response = false;
  bool pack_trace_reason = true;
  bool use_request_id_for_trace_sampling = true;  // false: every request is sampled
  bool normalize_path = false;
  bool merge_slashes = false;
  EscapedSlashes escaped_slashes = EscapedSlashes::kKeep;
  http::Fragment fragment = http::Fragment::kReject;
  bool strip_matching_host_port = false;
  bool strip_any_host_port = false;
  bool strip_trailing_host_dot = false;
  bool represent_ipv4_as_mapped_ipv6 = false;
  bool append_x_forwarded_port = false;
  bool append_local_overload = false;  // a reply for overload says x-envoy-local-overloaded
  std::string scheme_to_overwrite;
  bool scheme_match_upstream = false;
  std::vector<Upgrade> upgrades;
  ClientCertDetails client_cert = ClientCertDetails::kSanitize;
  ClientCertParts client_cert_parts;
  std::string node_id, node_cluster;  // of the bootstrap, for add_user_agent
  Origin origin;
};

}  // namespace sluice::model
