// GoogleGrpc: a service that is called with gRPC's own library instead of our pools.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/core/v3/grpc_service.proto
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace sluice::model {

// A GrpcService.GoogleGrpc. Immutable. Thread: any.
struct GoogleGrpc {
  // kInsecure: neither channel_credentials nor anything in their place. kLocal is for unix sockets, as in Envoy.
  enum class Channel : uint8_t { kInsecure, kSsl, kGoogleDefault, kLocal };
  struct AccessToken {
    std::string token;
    friend bool operator==(const AccessToken&, const AccessToken&) = default;
  };
  struct GoogleIam {
    std::string token, selector;
    friend bool operator==(const GoogleIam&, const GoogleIam&) = default;
  };

  std::string target_uri;
  std::string stat_prefix;
  Channel channel = Channel::kInsecure;
  std::string root_certs, private_key, cert_chain;  // PEM, of kSsl; empty roots: those of gRPC
  std::vector<std::variant<AccessToken, GoogleIam>> call_credentials;
  std::map<std::string, std::variant<int, std::string>> channel_args;
  friend bool operator==(const GoogleGrpc&, const GoogleGrpc&) = default;
};

}  // namespace sluice::model
