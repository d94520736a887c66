// UpstreamConnection: one connection to a host, with its codec. HTTP/1 carries one stream at a time, so the
// connection is that stream.
//
//   connecting --connected--> idle --lease--> leased --both messages complete--> idle
//       |                      |                |
//       +--failed/timeout------+--peer closed---+--reset, error, not reusable--> closed
#pragma once

#include <memory>
#include <string>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "http/codec.h"
#include "net/outbox.h"
#include "net/read_gate.h"
#include "net/transport.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::upstream {

// Made by its pool; destroys itself through the loop once closed. Thread: worker.
class UpstreamConnection final : public event::Deferred,
                                 public IntrusiveNode<Pool>,
                                 public UpstreamStream,
                                 private net::TransportHandler,
                                 private net::OutboxOwner,
                                 private http::ClientEvents {
 public:
  UpstreamConnection(Pool& pool, uint64_t id);
  ~UpstreamConnection() override;

  void lease(StreamUser& user);
  // Closes now. A stream that is on it ends with `reason`.
  void close(ResetReason reason);
  // Not given out again once it has carried what waits for it.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  // The circuit-breaker priority of the stream that is on it, and the one under which it was opened.
  void set_priority(uint8_t priority) { priority_ = priority; }
  void set_connect_priority(uint8_t priority) { connect_priority_ = priority; }
  uint8_t connect_priority() const { return connect_priority_; }
  bool was_connecting() const { return !connected_; }

  // UpstreamStream
  void send_headers(const http::RequestHeaders& headers, http::End end) override;
  void send_data(buffer::Buffer& data, http::End end) override;
  void send_trailers(const http::HeaderMap& trailers) override;
  void reset() override;
  net::ReadGate& response_gate() override { return gate_; }
  bool full() const override { return outbox_.full(); }
  size_t room() const override { return outbox_.room(); }
  const Host& host() const override { return pool_.host(); }
  const net::Address& local_address() const override { return transport_->local(); }
  uint64_t connection_id() const override { return id_; }
  http::Protocol protocol() const override { return codec_->protocol(); }
  const net::TlsFacts* tls() const override { return transport_->tls(); }

 private:
  enum class State : uint8_t { kConnecting, kIdle, kLeased, kClosed };

  // net::TransportHandler
  void on_ready(net::Ready ready) override;
  // net::OutboxOwner
  void on_sent(size_t bytes) override;
  void on_send_failed() override;
  void on_full(bool full) override;
  // http::ClientEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_interim(http::StreamId stream, http::ResponseHeaders& headers) override;
  void on_headers(http::StreamId stream, http::ResponseHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId stream, http::HeaderMap& trailers) override;
  void on_reset(http::StreamId stream) override;
  void on_error(http::StreamId stream, const http::CodecError& error) override;

  void on_connected();
  std::string connect_failure() const;
  void on_timer();
  void on_old();
  void read();
  void after_decode();
  void fail_stream(ResetReason reason, std::string_view details);
  StreamUser* end_stream();
  void finish_lease();
  enum class ClosedBy : uint8_t { kUs, kPeer };
  void close_transport(ClosedBy by);

  Pool& pool_;
  WorkerLocal& local_;
  const uint64_t id_;
  State state_ = State::kConnecting;
  uint8_t priority_ = 0;
  uint8_t connect_priority_ = 0;
  bool connected_ = false;
  bool secured_ = false;  // wrapped by a transport socket
  bool draining_ = false;
  bool at_eof_ = false;  // the peer closed: a message that is cut short now is no protocol error
  bool request_done_ = true;
  uint32_t streams_ = 0;
  http::StreamId stream_ = 0;
  StreamUser* user_ = nullptr;
  MonotonicTime started_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<http::ClientCodec> codec_;
  net::Outbox outbox_;
  buffer::Buffer in_;  // not decoded yet
  net::ReadGate gate_;
  event::Timer timer_;  // connect timeout, then idle timeout
  event::Timer age_;    // max_connection_duration
};

}  // namespace sluice::upstream
