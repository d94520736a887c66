#include "tools/control_plane/grpc_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace sluice::control_plane {
namespace {

using grpc::ByteBuffer;
using grpc::Status;
using grpc::StatusCode;

std::string text_of(const ByteBuffer& buffer) {
  std::string out;
  std::vector<grpc::Slice> slices;
  if (buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return out;
}

// One stream. gRPC calls On...() on threads of its own, main calls the Peer's; what they share is under the mutex.
// Alive as long as gRPC (self_) or main (Clients) needs it.
class Call final : public grpc::ServerGenericBidiReactor, public Peer {
 public:
  static Call* make(event::Loop& loop, Clients& clients, std::string address, Protocol protocol,
                    std::optional<ResourceType> only) {
    const auto call = std::make_shared<Call>(loop, clients);
    call->self_ = call;
    loop.post([call, address = std::move(address), protocol, only] {
      call->number_ = call->clients_.opened(call, address, protocol, only);
    });
    call->StartRead(&request_of(*call));
    return call.get();
  }

  Call(event::Loop& loop, Clients& clients) : loop_(loop), clients_(clients) {}

  // ---- Peer: on main
  void send(std::string message) override {
    const grpc::Slice slice(message);
    const std::lock_guard lock(mutex_);
    if (ending_) {
      return;
    }
    writing_ = true;
    response_ = ByteBuffer(&slice, 1);
    StartWrite(&response_);
  }
  void end(std::string why) override { finish(Status(StatusCode::INVALID_ARGUMENT, std::move(why))); }

 private:
  static ByteBuffer& request_of(Call& call) { return call.request_; }

  // ---- on threads of gRPC
  void OnReadDone(bool ok) override {
    if (!ok) {
      finish(Status::OK);  // the client has said all, or is gone
      return;
    }
    loop_.post([call = self_, message = text_of(request_)] {
      call->clients_.received(call->number_, message);
      call->read_more();
    });
  }
  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      if (ending_) {
        Finish(status_);
        return;
      }
    }
    if (ok) {
      loop_.post([call = self_] { call->clients_.left(call->number_); });
    }
  }
  void OnCancel() override { finish(Status::CANCELLED); }
  void OnDone() override {
    loop_.post([call = self_] { call->clients_.closed(call->number_); });
    self_.reset();
  }

  // A request is read when the one before it was worked on.
  void read_more() {
    const std::lock_guard lock(mutex_);
    if (!ending_) {
      StartRead(&request_);
    }
  }

  // gRPC wants no end while a message is on its way.
  void finish(Status status) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ending_, true)) {
      return;
    }
    status_ = std::move(status);
    if (!writing_) {
      Finish(status_);
    }
  }

  event::Loop& loop_;
  Clients& clients_;
  std::shared_ptr<Call> self_;
  uint64_t number_ = 0;  // main's
  ByteBuffer request_, response_;
  std::mutex mutex_;
  bool writing_ = false, ending_ = false;
  Status status_;
};

// Ends at once: there is no such method. Owned by itself.
class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  Refusal() { Finish(Status(StatusCode::UNIMPLEMENTED, "no discovery service has this method")); }
  void OnDone() override { delete this; }
};

// Thread: gRPC's.
class Service final : public grpc::CallbackGenericService {
 public:
  Service(event::Loop& loop, Clients& clients) : loop_(loop), clients_(clients) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    const std::string& method = context->method();
    constexpr std::string_view kAggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
    if (method.starts_with(kAggregated)) {
      const std::string_view name = std::string_view(method).substr(kAggregated.size());
      if (name == "StreamAggregatedResources") {
        return Call::make(loop_, clients_, context->peer(), Protocol::kSotw, {});
      }
      if (name == "DeltaAggregatedResources") {
        return Call::make(loop_, clients_, context->peer(), Protocol::kDelta, {});
      }
    }
    for (size_t i = 0; i < xds::kResourceTypes; ++i) {
      const auto type = static_cast<ResourceType>(i);
      if (method == xds::names_of(type).stream_path) {
        return Call::make(loop_, clients_, context->peer(), Protocol::kSotw, type);
      }
      if (method == xds::names_of(type).delta_path && type != ResourceType::kVirtualHost) {
        return Call::make(loop_, clients_, context->peer(), Protocol::kDelta, type);
      }
    }
    return new Refusal;
  }

 private:
  event::Loop& loop_;
  Clients& clients_;
};

std::shared_ptr<grpc::ServerCredentials> credentials(const std::optional<ServerTls>& tls) {
  if (!tls) {
    return grpc::InsecureServerCredentials();
  }
  grpc::SslServerCredentialsOptions options(tls->client_ca.empty()
                                                ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls->client_ca;
  options.pem_key_cert_pairs.push_back({tls->key, tls->certificate});
  return grpc::SslServerCredentials(options);
}

class Server final : public GrpcServer {
 public:
  Server(event::Loop& loop, Clients& clients) : service_(loop, clients) {}
  // Waits for all calls; they need no main thread to end.
  ~Server() override {
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now());
    }
  }

  bool listen(const std::string& address, const std::optional<ServerTls>& tls) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, credentials(tls), &port);
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(kLargestRequest);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMostStreams);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kAskAfterMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kAnswerWithinMs);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kShortestPingMs);
    server_ = builder.BuildAndStart();
    return server_ != nullptr && (port != 0 || address.starts_with("unix:"));
  }

 private:
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const std::string& address, const std::optional<ServerTls>& tls,
                                                      event::Loop& loop, Clients& clients) {
  auto server = std::make_unique<Server>(loop, clients);
  if (!server->listen(address, tls)) {
    return Error{cat("cannot listen on ", address, tls ? " with that certificate and key" : "")};
  }
  return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace sluice::control_plane
