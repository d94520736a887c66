#include "filters/http/basic_auth/basic_auth_config.h"

#include <algorithm>

#include "base/base64.h"
#include "base/strings.h"
#include "config/compile_scope.h"
#include "config/core_compiler.h"
#include "envoy/extensions/filters/http/basic_auth/v3/basic_auth.pb.h"
#include "filters/http/basic_auth/basic_auth.h"

namespace sluice::filters::basic_auth {
namespace {

namespace v3 = envoy::extensions::filters::http::basic_auth::v3;
using config::CompileScope;
using google::protobuf::Message;

// A line of htpasswd: "name:{SHA}digest". The error never shows what stands there.
std::optional<std::string> read_line(std::string_view line, Users& users) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return "needs lines of 'name:{SHA}digest'";
  const std::string_view hash = line.substr(colon + 1);
  constexpr std::string_view kKind = "{SHA}";
  if (!hash.starts_with(kKind)) return "knows SHA-1 digests ({SHA}) only";
  const auto bytes = decode_base64(hash.substr(kKind.size()));
  Digest digest;
  if (!bytes || bytes->size() != digest.size()) return "has a digest that is no SHA-1 in base64";
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  const std::string_view name = line.substr(0, colon);
  if (!users.emplace(name, digest).second) return cat("has the user '", name, "' twice");
  return std::nullopt;
}

Users read_users(const Message& owner, int field, std::string_view text, CompileScope& scope) {
  Users out;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (const auto error = read_line(line, out)) {
      scope.error(owner, field, *error);
      return out;
    }
  }
  return out;
}

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::BasicAuth&>(message);
  BasicAuthFactory::Settings out;
  if (!proto.has_users()) scope.error(proto, v3::BasicAuth::kUsersFieldNumber, "is needed");
  if (const auto text = config::read_data_source(proto.users(), scope)) {
    if (text->empty()) scope.error(proto, v3::BasicAuth::kUsersFieldNumber, "must not be empty");
    out.users = read_users(proto, v3::BasicAuth::kUsersFieldNumber, *text, scope);
  }
  out.realm = proto.realm();
  if (!proto.authentication_header().empty()) out.header = to_lower(proto.authentication_header());
  out.forward_name = to_lower(proto.forward_username_header());
  out.allow_missing = proto.allow_missing();
  out.emit_metadata = proto.emit_dynamic_metadata();
  return std::make_shared<const BasicAuthFactory>(scope.filter_name, std::move(out));
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v3::BasicAuthPerRoute&>(message);
  auto out = std::make_shared<RouteUsers>();
  // None are allowed here: then nobody gets in.
  if (const auto text = config::read_data_source(proto.users(), scope)) {
    out->users = read_users(proto, v3::BasicAuthPerRoute::kUsersFieldNumber, *text, scope);
  }
  out->realm = proto.realm();
  return out;
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
          .compile = &compile,
          .route_type = "envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::basic_auth
