// What the connection manager does to every response, its own replies too, before it is encoded.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers
#pragma once

#include "base/time.h"
#include "http/message.h"
#include "model/http_plan.h"

namespace sluice::proxy {

// Removes hop-by-hop fields, joins repeated lines, adds date when there is none, server by
// server_header_transformation, via, and x-request-id (always_set_request_id_in_response, or the request had
// x-envoy-force-trace). To be called after the filters and the route's response_headers_to_add, for final responses
// and 101; other interim responses pass as they are. `request` may be null. The codec adds connection and framing.
void prepare_response(const model::HttpPlan& plan, const http::RequestHeaders* request, http::ResponseHeaders& response,
                      WallTime now);

}  // namespace sluice::proxy
