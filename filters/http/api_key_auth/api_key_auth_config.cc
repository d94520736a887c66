#include "filters/http/api_key_auth/api_key_auth_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/extensions/filters/http/api_key_auth/v3/api_key_auth.pb.h"
#include "filters/http/api_key_auth/api_key_auth.h"

namespace sluice::filters::api_key_auth {
namespace {

namespace v3 = envoy::extensions::filters::http::api_key_auth::v3;
using config::CompileScope;
using google::protobuf::Message;

// What both messages have.
template <typename Proto>
std::shared_ptr<Settings> compile_common(const Proto& proto, CompileScope& scope) {
  auto out = std::make_shared<Settings>();
  for (int i = 0; i < proto.credentials_size(); ++i) {
    if (!out->clients.emplace(proto.credentials(i).key(), proto.credentials(i).client()).second) {
      scope.error(proto, Proto::kCredentialsFieldNumber, "another credential has this key", i);
    }
  }
  for (const v3::KeySource& source : proto.key_sources()) {
    if (!source.header().empty()) {
      out->sources.push_back({KeySource::In::kHeader, to_lower(source.header())});
    } else if (!source.query().empty()) {
      out->sources.push_back({KeySource::In::kQuery, source.query()});
    } else if (!source.cookie().empty()) {
      out->sources.push_back({KeySource::In::kCookie, source.cookie()});
    } else {
      scope.error(source, "needs a header, a query or a cookie");
    }
  }
  out->forwarding = {to_lower(proto.forwarding().header()), proto.forwarding().hide_credentials()};
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  return std::make_shared<const ApiKeyAuthFactory>(scope.filter_name,
                                                   compile_common(static_cast<const v3::ApiKeyAuth&>(message), scope));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::ApiKeyAuthPerRoute&>(message);
  auto out = compile_common(proto, scope);
  out->allowed.insert(proto.allowed_clients().begin(), proto.allowed_clients().end());
  return out;
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::api_key_auth
