// Compilers of the TLS contexts' messages into the plain options that a context is made of.
#pragma once

#include <optional>

#include "config/compile_scope.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "net/tls/tls_options.h"

namespace sluice::config {

// Where the secrets are that a context refers to. Thread: main.
class SecretLookup {
 public:
  using Secret = envoy::extensions::transport_sockets::tls::v3::Secret;
  // Null: it is not there, or not yet. What is found stays where it is while options are compiled. Secrets of the
  // bootstrap may share a name when they are of different kinds; one of SDS may turn out to be of another kind.
  virtual const Secret* find(const envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig& reference,
                             Secret::TypeCase kind) = 0;

 protected:
  ~SecretLookup() = default;
};

// None when a secret is missing, or after errors.
std::optional<net::tls::ServerOptions> compile_server_options(
    const envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext& proto, SecretLookup& secrets,
    CompileScope& scope);
std::optional<net::tls::ClientOptions> compile_client_options(
    const envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext& proto, SecretLookup& secrets,
    CompileScope& scope);

}  // namespace sluice::config
