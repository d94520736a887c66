// AdsTransport: how discovery messages reach a control plane and come back. A seam: a session (xds/) says what is in
// the messages, a transport carries bytes, over our own pools or over whatever else speaks gRPC or HTTP. One for each
// grpc_service or cluster that a configuration names. Nothing here knows protobuf.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace sluice::xds {

// One gRPC stream, both directions open. Its end is its destruction (RST_STREAM or whatever the transport has); after
// that its owner hears nothing, also when it is destroyed inside one of the owner's calls. Owned by who opened it.
// Thread: main.
class AdsStream {
 public:
  virtual ~AdsStream() = default;
  // One gRPC message, without the five bytes before it. Never blocks, keeps the order; what is sent before the stream
  // stands is kept for it, what is sent after on_end() is dropped.
  virtual void send(std::string message) = 0;
};

// Outlives its stream. No call comes inside open_stream() or send(). Thread: main.
class AdsStreamOwner {
 public:
  // One gRPC message, whole and unpacked; the bytes live as long as the call.
  virtual void on_message(std::string_view message) = 0;
  // The stream is over, whoever ended it, or never stood: `grpc_status` as gRPC numbers it (an HTTP status, a reset, a
  // refused connection and an unknown cluster mapped the way gRPC does), the text of grpc-message or a reason of ours.
  // Comes once, as the last call, and not after destruction.
  virtual void on_end(int grpc_status, std::string_view message) = 0;

 protected:
  ~AdsStreamOwner() = default;
};

// A header field to go with a request: `name` in lower case. A plain value.
struct RequestField {
  std::string name;
  std::string value;
};

// POST `path` with a body of application/json. A plain value.
struct FetchRequest {
  std::string path;  // /v3/discovery:clusters
  std::string body;
  Duration timeout{std::chrono::seconds(1)};  // for the whole answer; then on_fetch_failed()
};

// One request that waits for its answer; destruction cancels it. Owned by who asked. Thread: main.
class AdsFetch {
 public:
  virtual ~AdsFetch() = default;
};

// Outlives its fetch. Exactly one call comes, never inside fetch(), none after the destruction of the fetch. Thread:
// main.
class AdsFetchOwner {
 public:
  virtual void on_fetched(uint32_t status, std::string_view body) = 0;
  virtual void on_fetch_failed(std::string_view why) = 0;

 protected:
  ~AdsFetchOwner() = default;
};

// Outlives its streams and fetches. Thread: main.
class AdsTransport {
 public:
  virtual ~AdsTransport() = default;

  // `path`: /envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources. `metadata` goes with the
  // headers of the request (GrpcService.initial_metadata). A message longer than the transport's limit ends the stream.
  virtual std::unique_ptr<AdsStream> open_stream(std::string_view path, const std::vector<RequestField>& metadata,
                                                 AdsStreamOwner& owner) = 0;
  virtual std::unique_ptr<AdsFetch> fetch(FetchRequest request, AdsFetchOwner& owner) = 0;
};

}  // namespace sluice::xds
