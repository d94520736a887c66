// Internal redirects: a redirect of the upstream that is followed here instead of by the client.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/http/http_connection_management#internal-redirects
#pragma once

#include "http/message.h"
#include "model/route_action.h"
#include "proxy/exchange.h"

namespace sluice::filters::router {

// Makes of the request the one that the redirect asks for, or leaves it as it is and says why not (its stat). The
// access log then names the route that was looked for.
bool follow_redirect(const model::InternalRedirectPolicy& policy, proxy::Exchange& exchange,
                     const http::ResponseHeaders& response);

}  // namespace sluice::filters::router
