// Proxy-Status: which failure of this proxy a response is about, told to its client.
// https://www.rfc-editor.org/rfc/rfc9209
#pragma once

#include "format/facts.h"
#include "http/message.h"
#include "model/http_plan.h"

namespace sluice::proxy {

// Appends a member to the Proxy-Status of `response` when a flag of `facts` has a name among the RFC's errors, else
// does nothing. May change its status (set_recommended_response_code). To be called before anything is counted by
// status. Thread: worker.
void add_proxy_status(const model::ProxyStatusPlan& plan, const format::Facts& facts, http::ResponseHeaders& response);

}  // namespace sluice::proxy
