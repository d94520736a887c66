// x-request-id: a random UUID for every request, by which logs and traces of several proxies are put together.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers#x-request-id
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "http/message.h"
#include "model/http_plan.h"

namespace sluice::proxy {

inline constexpr size_t kUuidSize = 36;

// A random (version 4) UUID in lower case, RFC 9562 5.4; kUuidSize bytes.
void write_uuid4(Random& random, char* to);

// Character 14 of a UUID is its version, '4', in which Envoy tells why a request is traced.
enum class TraceReason : char { kNone = '4', kSampled = '9', kForced = 'a', kClient = 'b' };
// kNone for a text that is no UUID.
TraceReason trace_reason(std::string_view request_id);
// A number out of a UUID, the same for all who see it; nothing for a text that is none.
std::optional<uint64_t> number_of_request_id(std::string_view request_id);
// Writes the reason into the UUID that the request has.
void set_trace_reason(TraceReason reason, http::RequestHeaders& request);

// Whether the request comes from outside to a proxy that looks at the peer's address.
enum class Edge : bool { kNo, kYes };

// With generate_request_id: makes an id when there is none, and at the edge also in place of the client's, unless
// preserve_external_request_id.
void set_request_id(const model::HttpPlan& plan, Edge edge, http::RequestHeaders& request, Random& random);

}  // namespace sluice::proxy
