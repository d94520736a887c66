// x-forwarded-client-cert: what the next hop is told of the client's certificate.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_conn_man/headers#x-forwarded-client-cert
#pragma once

#include "http/header_map.h"
#include "model/http_plan.h"
#include "net/tls_facts.h"

namespace sluice::proxy {

// Adds or sets the field as the plan says; what must not be believed is removed before.
void forward_client_certificate(const model::HttpPlan& plan, const net::TlsFacts& tls, http::HeaderMap& fields);

}  // namespace sluice::proxy
