// Call: a side request or stream of the proxy itself (to a control plane, a collector, an authorization service),
// through the pools of a cluster like any request: HTTP/1 or HTTP/2, with the cluster's TLS, breakers and stats.
//
//   made --start()--> waits for a stream --> both directions open --response ends--> over
//                          |                       |
//                          +--no host, reset, timeout, too much queued--> on_call_failed() --> over
//
// Streaming; whole answers are upstream/unary_call.h, gRPC is upstream/grpc_stream.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "buffer/buffer.h"
#include "event/loop.h"
#include "http/message.h"
#include "upstream/cluster.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::upstream {

// A plain value.
struct CallOptions {
  Duration timeout{0};          // from start() to the end of the answer; 0: none. The peer is told
  size_t max_queued = 1 << 20;  // request bytes that the peer does not take; beyond, the call fails
  uint8_t priority = 0;         // of the circuit breakers
  std::string_view machine_ip;  // goes as x-forwarded-for; must stay until start() returns
};

// Why there is no whole answer.
struct CallFailure {
  enum class Kind : uint8_t { kNoCluster, kNoHost, kReset, kTimeout, kQueueFull };
  Kind kind = Kind::kReset;
  ResetReason reason = ResetReason::kLocalReset;  // of kReset
  bool answered = false;                          // the head of the answer had come
  std::string_view details;                       // of kReset: what the transport said

  // Envoy's words, as its local replies and logs have them.
  std::string text() const;
};

// Who a call is for. Never called inside start() and send(); the call may be let go inside. Ends with
// End::kYes, on_call_trailers() or on_call_failed(). Thread: its call's.
class CallUser {
 public:
  virtual void on_call_headers(http::ResponseHeaders& headers, http::End end) = 0;
  // Borrowed for this dispatch; what is left in it is dropped.
  virtual void on_call_data(buffer::Buffer& data, http::End end) = 0;
  virtual void on_call_trailers(http::HeaderMap& trailers) = 0;
  virtual void on_call_failed(const CallFailure& failure) = 0;

 protected:
  ~CallUser() = default;
};

// Ends an object that may be on the call stack: nobody hears of it any more, and the loop destroys it.
struct LetGo {
  template <typename T>
  void operator()(T* object) const {
    object->let_go();
  }
};

// Ends with its owner: `CallPtr`. Thread: worker or main.
class Call final : public event::Deferred, private PoolRequest, private StreamUser {
 public:
  Call(WorkerLocal& local, CallUser& user, const CallOptions& options);
  ~Call() override;

  // To be filled before start(), which adds x-envoy-internal, x-forwarded-for and x-envoy-expected-rq-timeout-ms. An
  // empty authority becomes the cluster's name, an empty scheme "http".
  http::RequestHeaders& headers() { return *headers_; }
  // `cluster` may be null: there is none of that name.
  void start(Cluster* cluster, http::End end);
  // Copies the two parts of a piece of the body. Nothing happens on a call that is over.
  void send(std::string_view first, std::string_view second, http::End end);
  // Stops and starts reading the answer.
  void pause(bool stop);

  bool over() const { return over_; }
  // It got a stream to send on; false while it waits for the first one.
  bool had_stream() const { return had_stream_; }
  // Request bytes that did not leave for the connection yet.
  size_t queued() const { return waiting_.size(); }
  WorkerLocal& local() { return local_; }
  // For CallPtr.
  void let_go();

 private:
  // PoolRequest
  void on_stream(UpstreamStream& stream) override;
  void on_no_stream(ResetReason reason, std::string_view details) override;
  StreamUser& user() override { return *this; }
  // StreamUser
  Arena& response_arena() override { return arena_; }
  void on_interim(http::ResponseHeaders&) override {}
  void on_response_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_response_data(buffer::Buffer& data, http::End end) override;
  void on_response_trailers(http::HeaderMap& trailers) override;
  void on_stream_reset(ResetReason reason, std::string_view details) override;
  void on_request_full(bool full) override;
  size_t response_room() const override { return kReadRoom; }

  static constexpr size_t kReadRoom = 64 * 1024;

  void flush();
  void on_timer();
  // Tells the user in a turn of its own.
  void fail_soon(CallFailure::Kind kind, ResetReason reason, std::string_view details);
  void fail(const CallFailure& failure);
  void count_failure(CallFailure::Kind kind, ResetReason reason);
  AnswerOf answer_of() const;
  void answered_whole();
  void end();
  // Lets the cluster go: after that it may end before the call.
  void release();

  WorkerLocal& local_;
  CallUser* user_;  // null: let go
  const CallOptions options_;
  Cluster* cluster_ = nullptr;
  Pool* pool_ = nullptr;
  PoolPin pin_;
  Arena arena_;
  http::RequestHeaders* headers_;
  UpstreamStream* stream_ = nullptr;
  buffer::Buffer waiting_;          // body that the stream has no room for, or that came before it
  http::End end_ = http::End::kNo;  // of waiting_
  event::Timer timer_;              // the deadline, or a failure that is told soon
  MonotonicTime started_;
  CallFailure soon_;
  std::string soon_details_;
  bool headers_only_ = false;
  bool had_stream_ = false;
  bool starting_ = false;  // or sending: the user must not be called
  bool failing_ = false;   // soon_ will be told
  bool ended_ = false;     // the request is complete
  bool answered_ = false;
  uint16_t status_ = 0;
  bool over_ = false;
};

using CallPtr = std::unique_ptr<Call, LetGo>;

}  // namespace sluice::upstream
