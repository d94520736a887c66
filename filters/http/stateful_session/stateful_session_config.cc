#include "filters/http/stateful_session/stateful_session_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/extensions/filters/http/stateful_session/v3/stateful_session.pb.h"
#include "envoy/extensions/http/stateful_session/cookie/v3/cookie.pb.h"
#include "envoy/extensions/http/stateful_session/header/v3/header.pb.h"
#include "filters/http/stateful_session/stateful_session.h"

namespace sluice::filters::stateful_session {
namespace {

using Proto = envoy::extensions::filters::http::stateful_session::v3::StatefulSession;
using PerRoute = envoy::extensions::filters::http::stateful_session::v3::StatefulSessionPerRoute;
using Cookie = envoy::extensions::http::stateful_session::cookie::v3::CookieBasedSessionState;
using Header = envoy::extensions::http::stateful_session::header::v3::HeaderBasedSessionState;
using config::CompileScope;
using google::protobuf::Message;

void compile_cookie(const envoy::type::http::v3::Cookie& proto, Settings& out) {
  out.in_cookie = true;
  out.name = proto.name();
  out.ttl = config::to_duration(proto.ttl());
  out.path = proto.path();
  for (const auto& attribute : proto.attributes()) {
    append(out.attributes, "; ", attribute.name());
    if (!attribute.value().empty()) append(out.attributes, "=", attribute.value());
  }
}

std::shared_ptr<Settings> compile_settings(const Proto& proto, CompileScope& scope) {
  scope.only(proto, {Proto::kSessionStateFieldNumber, Proto::kStrictFieldNumber});
  auto out = std::make_shared<Settings>();
  out->strict = proto.strict();
  if (!proto.has_session_state()) {
    out->disabled = true;  // as Envoy has it: there is nothing to remember a host in
    return out;
  }
  const auto& state = proto.session_state().typed_config();
  const Message* content = scope.unpack(state);
  if (content == nullptr) return out;
  if (content->GetDescriptor() == Cookie::descriptor()) {
    compile_cookie(static_cast<const Cookie&>(*content).cookie(), *out);
  } else if (content->GetDescriptor() == Header::descriptor()) {
    out->name = to_lower(static_cast<const Header&>(*content).name());
  } else {
    scope.error(state, cat(content->GetDescriptor()->full_name(), " is no state of a session"));
  }
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const StatefulSessionFactory>(scope.filter_name,
                                                        compile_settings(static_cast<const Proto&>(message), scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const PerRoute&>(message);
  if (proto.has_stateful_session()) return compile_settings(proto.stateful_session(), scope);
  auto out = std::make_shared<Settings>();
  out->disabled = true;
  return out;
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.stateful_session.v3.StatefulSession",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::stateful_session
