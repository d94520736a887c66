#include "xds/pool_ads_transport.h"

#include <utility>

#include "base/strings.h"
#include "upstream/grpc_stream.h"
#include "upstream/unary_call.h"

namespace sluice::xds {

namespace {

using http::Token;

// Thread: main.
class PoolAdsStream final : public AdsStream, private upstream::GrpcUser {
 public:
  PoolAdsStream(upstream::WorkerLocal& local, std::string_view path, const upstream::CallOptions& call,
                size_t max_message, AdsStreamOwner& owner)
      : owner_(owner),
        stream_(new upstream::GrpcStream(local, static_cast<upstream::GrpcUser&>(*this), path, call, max_message)) {}

  upstream::GrpcStream& stream() { return *stream_; }
  void send(std::string message) override { stream_->send(message); }

 private:
  void on_grpc_message(std::string_view message) override { owner_.on_message(message); }
  void on_grpc_end(uint32_t status, std::string_view message) override {
    owner_.on_end(static_cast<int>(status), message);
  }

  AdsStreamOwner& owner_;
  upstream::GrpcStreamPtr stream_;
};

// Thread: main.
class PoolAdsFetch final : public AdsFetch, private upstream::UnaryUser {
 public:
  PoolAdsFetch(upstream::WorkerLocal& local, const upstream::CallOptions& call, size_t max_body, AdsFetchOwner& owner)
      : owner_(owner),
        call_(new upstream::UnaryCall(local, static_cast<upstream::UnaryUser&>(*this), call, max_body)) {}

  upstream::UnaryCall& call() { return *call_; }

 private:
  void on_answer(const http::ResponseHeaders& headers, std::string_view body) override {
    owner_.on_fetched(headers.status, body);
  }
  void on_no_answer(std::string_view why) override { owner_.on_fetch_failed(why); }

  AdsFetchOwner& owner_;
  upstream::UnaryCallPtr call_;
};

}  // namespace

std::unique_ptr<AdsStream> PoolAdsTransport::open_stream(std::string_view path,
                                                         const std::vector<RequestField>& metadata,
                                                         AdsStreamOwner& owner) {
  upstream::CallOptions call;
  call.max_queued = options_.max_queued;
  call.machine_ip = options_.machine_ip;
  auto out = std::make_unique<PoolAdsStream>(local_, path, call, options_.max_message, owner);
  http::RequestHeaders& headers = out->stream().headers();
  headers.authority = headers.fields.arena().copy(options_.authority);
  for (const RequestField& field : metadata) {
    headers.fields.add_copy(field.name, field.value);
  }
  out->stream().start(cluster_());
  return out;
}

std::unique_ptr<AdsFetch> PoolAdsTransport::fetch(FetchRequest request, AdsFetchOwner& owner) {
  upstream::CallOptions call;
  call.timeout = request.timeout;
  call.machine_ip = options_.machine_ip;
  call.max_queued = options_.max_queued;
  auto out = std::make_unique<PoolAdsFetch>(local_, call, options_.max_message, owner);
  http::RequestHeaders& headers = out->call().headers();
  headers.method = "POST";
  headers.path = headers.fields.arena().copy(request.path);
  headers.fields.add(Token::kContentType, "application/json");
  headers.fields.set_copy(Token::kContentLength, Piece(request.body.size()).text());
  out->call().start(cluster_(), request.body);
  return out;
}

}  // namespace sluice::xds
