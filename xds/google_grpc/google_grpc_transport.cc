#include "xds/google_grpc/google_grpc_transport.h"

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "xds/google_grpc/google_client.h"

namespace sluice::xds {
namespace {

// Thread: main.
class GoogleGrpcStream final : public AdsStream, private upstream::GrpcUser {
 public:
  GoogleGrpcStream(upstream::GoogleClient& client, const upstream::GoogleCallOptions& options, AdsStreamOwner& owner)
      : owner_(owner), call_(client.call(options, *this)) {}
  void send(std::string message) override { call_->send(message); }

 private:
  void on_grpc_message(std::string_view message) override { owner_.on_message(message); }
  void on_grpc_end(uint32_t status, std::string_view message) override {
    owner_.on_end(static_cast<int>(status), message);
  }

  AdsStreamOwner& owner_;
  const upstream::GrpcCallPtr call_;
};

// Thread: main.
class GoogleGrpcTransport final : public AdsTransport {
 public:
  explicit GoogleGrpcTransport(std::unique_ptr<upstream::GoogleClient> client) : client_(std::move(client)) {}

  std::unique_ptr<AdsStream> open_stream(std::string_view path, const std::vector<RequestField>& metadata,
                                         AdsStreamOwner& owner) override {
    upstream::GoogleCallOptions options{.path = path};
    for (const RequestField& field : metadata) {
      options.metadata.emplace_back(field.name, field.value);
    }
    return std::make_unique<GoogleGrpcStream>(*client_, options, owner);
  }
  std::unique_ptr<AdsFetch> fetch(FetchRequest, AdsFetchOwner&) override {
    SLUICE_CHECK(false && "REST goes over clusters");
    return nullptr;
  }

 private:
  const std::unique_ptr<upstream::GoogleClient> client_;
};

}  // namespace

std::unique_ptr<AdsTransport> make_google_grpc_transport(const model::GoogleGrpc& service, event::Loop& loop,
                                                         stats::Registry& registry, stats::WorkerCells& cells) {
  return std::make_unique<GoogleGrpcTransport>(make_google_client(service, loop, registry, cells));
}

}  // namespace sluice::xds
