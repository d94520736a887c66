#include "config/google_grpc_compiler.h"

#include <cstdint>
#include <limits>

#include "config/core_compiler.h"

namespace sluice::config {
namespace {

using envoy::config::core::v3::DataSource;
using GoogleGrpc = envoy::config::core::v3::GrpcService::GoogleGrpc;

std::string read(const DataSource& source, CompileScope& scope) { return read_data_source(source, scope).value_or(""); }

void compile_ssl(const GoogleGrpc::SslCredentials& proto, model::GoogleGrpc& out, CompileScope& scope) {
  using S = GoogleGrpc::SslCredentials;
  scope.only(proto, {S::kRootCertsFieldNumber, S::kPrivateKeyFieldNumber, S::kCertChainFieldNumber});
  if (proto.has_private_key() != proto.has_cert_chain()) {
    scope.error(proto, proto.has_private_key() ? S::kPrivateKeyFieldNumber : S::kCertChainFieldNumber,
                "private_key and cert_chain belong together");
  }
  out.root_certs = read(proto.root_certs(), scope);
  out.private_key = read(proto.private_key(), scope);
  out.cert_chain = read(proto.cert_chain(), scope);
}

void compile_channel(const GoogleGrpc& proto, model::GoogleGrpc& out, CompileScope& scope) {
  using C = GoogleGrpc::ChannelCredentials;
  using Channel = model::GoogleGrpc::Channel;
  const C& channel = proto.channel_credentials();
  scope.only(channel, {C::kSslCredentialsFieldNumber, C::kGoogleDefaultFieldNumber, C::kLocalCredentialsFieldNumber});
  switch (channel.credential_specifier_case()) {
    case C::kSslCredentials:
      out.channel = Channel::kSsl;
      compile_ssl(channel.ssl_credentials(), out, scope);
      break;
    case C::kGoogleDefault:
      out.channel = Channel::kGoogleDefault;
      break;
    case C::kLocalCredentials:
      out.channel = Channel::kLocal;
      break;
    default:
      break;
  }
}

void compile_call_credentials(const GoogleGrpc& proto, model::GoogleGrpc& out, CompileScope& scope) {
  using C = GoogleGrpc::CallCredentials;
  for (const C& call : proto.call_credentials()) {
    scope.only(call, {C::kAccessTokenFieldNumber, C::kGoogleIamFieldNumber});
    if (call.has_google_iam()) {
      out.call_credentials.emplace_back(model::GoogleGrpc::GoogleIam{call.google_iam().authorization_token(),
                                                                     call.google_iam().authority_selector()});
    } else {
      out.call_credentials.emplace_back(model::GoogleGrpc::AccessToken{call.access_token()});
    }
  }
  if (!out.call_credentials.empty() && out.channel == model::GoogleGrpc::Channel::kInsecure) {
    scope.error(proto, GoogleGrpc::kCallCredentialsFieldNumber, "are never sent without channel_credentials");
  }
}

void compile_channel_args(const GoogleGrpc& proto, model::GoogleGrpc& out, CompileScope& scope) {
  using Value = GoogleGrpc::ChannelArgs::Value;
  for (const auto& [name, value] : proto.channel_args().args()) {
    if (value.value_specifier_case() == Value::kStringValue) {
      out.channel_args.emplace(name, value.string_value());
    } else if (value.int_value() < std::numeric_limits<int>::min() ||
               value.int_value() > std::numeric_limits<int>::max()) {
      scope.error(value, Value::kIntValueFieldNumber, "gRPC's arguments have 32 bits");
    } else {
      out.channel_args.emplace(name, static_cast<int>(value.int_value()));
    }
  }
}

}  // namespace

model::GoogleGrpc compile_google_grpc(const GoogleGrpc& proto, CompileScope& scope) {
  using G = GoogleGrpc;
  scope.only(proto, {G::kTargetUriFieldNumber, G::kChannelCredentialsFieldNumber, G::kCallCredentialsFieldNumber,
                     G::kStatPrefixFieldNumber, G::kChannelArgsFieldNumber});
  model::GoogleGrpc out;
  out.target_uri = proto.target_uri();
  out.stat_prefix = proto.stat_prefix();
  compile_channel(proto, out, scope);
  compile_call_credentials(proto, out, scope);
  compile_channel_args(proto, out, scope);
  return out;
}

}  // namespace sluice::config
