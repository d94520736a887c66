#include "xds/google_grpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

namespace sluice::xds {
namespace {

using model::GoogleGrpc;

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const GoogleGrpc& service) {
  switch (service.channel) {
    case GoogleGrpc::Channel::kInsecure:
      break;
    case GoogleGrpc::Channel::kSsl:
      return grpc::SslCredentials({service.root_certs, service.private_key, service.cert_chain});
    case GoogleGrpc::Channel::kGoogleDefault:
      return grpc::GoogleDefaultCredentials();
    case GoogleGrpc::Channel::kLocal:
      return grpc::experimental::LocalCredentials(UDS);
  }
  return grpc::InsecureChannelCredentials();
}

std::shared_ptr<grpc::CallCredentials> made(const GoogleGrpc::AccessToken& token) {
  return grpc::AccessTokenCredentials(token.token);
}
std::shared_ptr<grpc::CallCredentials> made(const GoogleGrpc::GoogleIam& iam) {
  return grpc::GoogleIAMCredentials(iam.token, iam.selector);
}

void set(grpc::ChannelArguments& arguments, const std::string& name, int value) { arguments.SetInt(name, value); }
void set(grpc::ChannelArguments& arguments, const std::string& name, const std::string& value) {
  arguments.SetString(name, value);
}

}  // namespace

std::shared_ptr<grpc::Channel> open_channel(const GoogleGrpc& service) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = channel_credentials(service);
  for (const auto& call : service.call_credentials) {
    if (credentials != nullptr) {
      credentials =
          grpc::CompositeChannelCredentials(credentials, std::visit([](const auto& c) { return made(c); }, call));
    }
  }
  grpc::ChannelArguments arguments;
  for (const auto& [name, value] : service.channel_args) {
    std::visit([&](const auto& v) { set(arguments, name, v); }, value);
  }
  return grpc::CreateCustomChannel(service.target_uri, credentials, arguments);  // null credentials: a lame channel
}

}  // namespace sluice::xds
