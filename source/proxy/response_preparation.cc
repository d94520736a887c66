#include "proxy/response_preparation.h"

#include "http/date.h"
#include "http/hop_by_hop.h"
#include "http/joined_fields.h"
#include "http/token_set.h"

namespace sluice::proxy {
namespace {

using http::Token;
using http::TokenSet;

constexpr TokenSet kHopByHopOfResponses{Token::kConnection, Token::kKeepAlive, Token::kProxyConnection,
                                        Token::kUpgrade};

// The same second reads the same everywhere, so a thread's workers may share it.
thread_local http::DateText current_date;

void prepare_server(const model::HttpPlan& plan, http::HeaderMap& fields) {
  const std::string_view name = plan.server_name.empty() ? std::string_view("envoy") : plan.server_name;
  switch (plan.server_header) {
    case model::ServerHeader::kOverwrite:
      fields.set(Token::kServer, name);
      break;
    case model::ServerHeader::kAppendIfAbsent:
      if (!fields.has(Token::kServer)) fields.add(Token::kServer, name);
      break;
    case model::ServerHeader::kPassThrough:
      break;
  }
}

void prepare_request_id(const model::HttpPlan& plan, const http::RequestHeaders* request, http::HeaderMap& fields) {
  if (request == nullptr ||
      (!plan.always_set_request_id_in_response && !request->fields.has(Token::kXEnvoyForceTrace))) {
    return;
  }
  const std::string_view id = request->fields.get(Token::kXRequestId);
  if (id.data() != nullptr) fields.set(Token::kXRequestId, id);
}

}  // namespace

void prepare_response(const model::HttpPlan& plan, const http::RequestHeaders* request, http::ResponseHeaders& response,
                      WallTime now) {
  http::HeaderMap& fields = response.fields;
  const TokenSet present = join_repeated(fields, plan.inline_headers->response_headers);
  if (present.intersects(kHopByHopOfResponses)) remove_hop_by_hop(response);
  if (!present.has(Token::kDate)) fields.add(Token::kDate, fields.arena().copy(current_date.at(now)));
  prepare_server(plan, fields);
  if (!plan.via.empty()) fields.append_value(Token::kVia, plan.via, ", ");
  prepare_request_id(plan, request, fields);
}

}  // namespace sluice::proxy
