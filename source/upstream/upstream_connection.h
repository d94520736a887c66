// UpstreamConnection: one connection to a host, with its codec. HTTP/1 carries one stream at a time, HTTP/2 as many as
// the host and max_concurrent_streams allow.
//
//   connecting --connected--> idle --lease--> leased --last stream ended--> idle
//       |                      |                |
//       +--failed/timeout------+--peer closed---+--error; HTTP/1: reset, not reusable--> closed
#pragma once

#include <memory>
#include <string>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "http/http2/client_codec.h"
#include "http/http2/keepalive.h"
#include "net/outbox.h"
#include "net/read_gate.h"
#include "net/transport.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::upstream {

class UpstreamConnection;

// One lease. Owned by its connection. Thread: worker.
class LeasedStream final : public UpstreamStream, public IntrusiveNode<UpstreamConnection> {
 public:
  LeasedStream(UpstreamConnection& connection, StreamUser& user, uint8_t priority);

  // UpstreamStream
  void send_headers(const http::RequestHeaders& headers, http::End end) override;
  void send_data(buffer::Buffer& data, http::End end) override;
  void send_trailers(const http::HeaderMap& trailers) override;
  void reset() override;
  net::ReadGate& response_gate() override { return gate_; }
  bool full() const override;
  size_t room() const override;
  const Host& host() const override;
  const net::Address& local_address() const override;
  const net::Address& remote_address() const override;
  uint64_t connection_id() const override;
  http::Protocol protocol() const override;
  const net::TlsFacts* tls() const override;
  ConnectTimes connect_times() const override;
  http::ByteMeter bytes() override;
  bool unread() const override;

 private:
  friend class UpstreamConnection;

  UpstreamConnection& connection_;
  StreamUser* user_;  // null: it hears nothing more
  http::StreamId id_ = 0;
  uint8_t priority_;             // circuit breakers
  uint64_t written_before_ = 0;  // by the connection, for others
  bool request_done_ = false;
  bool stream_full_ = false;  // HTTP/2: what waits for the stream's window
  net::ReadGate gate_;
};

// Made by its pool; destroys itself through the loop once closed. Thread: worker.
class UpstreamConnection final : public event::Deferred,
                                 public IntrusiveNode<Pool>,
                                 private net::TransportHandler,
                                 private net::OutboxOwner,
                                 private net::AtDispatchEnd,
                                 private http::http2::Http2ClientEvents {
 public:
  UpstreamConnection(Pool& pool, uint64_t id);
  ~UpstreamConnection() override;

  using IntrusiveNode<Pool>::linked;
  using IntrusiveNode<Pool>::unlink;

  // has_room() before.
  LeasedStream& lease(StreamUser& user, uint8_t priority);
  // One stream more can be given out.
  bool has_room() const;
  bool idle() const { return state_ == State::kIdle; }
  bool has_streams() const { return http2_ != nullptr; }
  uint64_t connection_id() const { return id_; }
  // Closes now. Streams that are on it end with `reason`.
  void close(ResetReason reason);
  // Not given out again once it has carried what waits for it.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  // The circuit-breaker priority under which it was opened.
  void set_connect_priority(uint8_t priority) { connect_priority_ = priority; }
  uint8_t connect_priority() const { return connect_priority_; }
  bool was_connecting() const { return !connected_; }

 private:
  friend class LeasedStream;
  enum class State : uint8_t { kConnecting, kIdle, kLeased, kClosed };

  // net::TransportHandler
  void on_ready(net::Ready ready) override;
  // net::OutboxOwner
  void on_sent(size_t bytes) override;
  void on_send_failed() override;
  void on_full(bool full) override;
  // net::AtDispatchEnd: frames wait to be written
  void on_dispatch_end() override;
  // http::http2::Http2ClientEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_interim(http::StreamId stream, http::ResponseHeaders& headers) override;
  void on_headers(http::StreamId stream, http::ResponseHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId stream, http::HeaderMap& trailers) override;
  void on_reset(http::StreamId stream, const http::StreamReset& reset) override;
  void on_error(http::StreamId stream, const http::CodecError& error) override;
  void on_stream_full(http::StreamId stream, bool full) override;
  void on_goaway() override;
  void on_settings() override;
  void on_ping_ack() override;

  // ---- for leases
  void send_headers(LeasedStream& stream, const http::RequestHeaders& headers, http::End end);
  void reset(LeasedStream& stream);
  void on_gate(LeasedStream& stream, bool open);
  size_t room(const LeasedStream& stream);
  void send_later();

  void on_connected();
  void choose_codec();
  void on_connect_failed(net::ConnectFault fault);
  std::string connect_failure(net::ConnectFault fault) const;
  void on_timer();
  void on_old();
  void read();
  // HTTP/1: the response may have ended in this dispatch.
  void after_decode();
  void finish_lease();
  LeasedStream* find(http::StreamId stream);
  // HTTP/1's only one, while its user listens.
  LeasedStream* listening();
  // The user hears nothing more; with HTTP/2 the lease is over.
  StreamUser* end_stream(LeasedStream& stream);
  void after_streams();
  void fail_stream(LeasedStream& stream, ResetReason reason, std::string_view details);
  void fail_streams(ResetReason reason, std::string_view details);
  uint32_t stream_limit() const;
  enum class ClosedBy : uint8_t { kUs, kPeer };
  void close_transport(ClosedBy by);

  Pool& pool_;
  WorkerLocal& local_;
  const uint64_t id_;
  State state_ = State::kConnecting;
  uint8_t connect_priority_ = 0;
  bool connected_ = false;
  bool heard_ = false;    // bytes of the answer that HTTP/1 waits for
  bool counted_ = false;  // in upstream_cx_http1_total or its like
  bool secured_ = false;  // wrapped by a transport socket
  bool draining_ = false;
  bool at_eof_ = false;          // the peer closed
  bool ended_in_order_ = false;  // by a FIN, not by a reset
  uint32_t streams_ = 0;         // in all
  uint32_t leased_ = 0;
  MonotonicTime started_, connected_at_;
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<http::ClientCodec> codec_;           // null until connected
  http::http2::Http2ClientCodec* http2_ = nullptr;     // codec_, when it is that
  std::unique_ptr<http::http2::KeepAlive> keepalive_;  // HTTP/2 with connection_keepalive
  IntrusiveList<LeasedStream, UpstreamConnection> leases_;
  std::unique_ptr<LeasedStream> spare_;  // memory of the lease that ended last
  net::Outbox outbox_;
  buffer::Buffer in_;   // not decoded yet
  event::Timer timer_;  // connect timeout, then idle timeout
  event::Timer age_;    // max_connection_duration
};

}  // namespace sluice::upstream
