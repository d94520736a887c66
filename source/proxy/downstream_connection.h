// DownstreamConnection: one client. Bytes go to the codec, the codec's events become calls on an Exchange; what
// exchanges answer is encoded here and leaves in one write per dispatch.
//
//   open --answered with close, drained, timed out--> closing (FIN sent, waits for the client) --> closed
//     +----peer gone, error--------------------------------------------------------------------> closed
#pragma once

#include <map>
#include <memory>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "event/rare_timer.h"
#include "http/codec.h"
#include "net/outbox.h"
#include "net/read_gate.h"
#include "net/transport.h"
#include "proxy/exchange.h"
#include "proxy/http_server.h"

namespace sluice::proxy {

// Owned by its HttpServer's list; destroys itself through the loop once closed. Thread: worker.
class DownstreamConnection final : public event::Deferred,
                                   public IntrusiveNode<HttpServer>,
                                   private net::TransportHandler,
                                   private net::OutboxOwner,
                                   private net::AtDispatchEnd,
                                   private http::ServerEvents {
 public:
  DownstreamConnection(HttpServer& server, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  ~DownstreamConnection() override;

  HttpServer& server() { return server_; }
  upstream::WorkerLocal& local();
  uint64_t id() const { return id_; }
  Accepted& accepted() { return *accepted_; }
  const net::Address& remote() const { return transport_->remote(); }
  const net::Address& local_address() const { return transport_->local(); }
  const net::TlsFacts* tls() const { return transport_->tls(); }

  // --- for exchanges ---
  // See Exchange::connection_local().
  std::unique_ptr<FilterLocal>& filter_local(const void* key);
  void send_interim(Exchange& exchange, const http::ResponseHeaders& headers);
  void send_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End end);
  void send_data(Exchange& exchange, buffer::Buffer& data, http::End end);
  void send_trailers(Exchange& exchange, const http::HeaderMap& trailers);
  // The response cannot be completed: the client sees the connection end.
  void cut();
  // Both messages of the exchange are over.
  void exchange_finished(Exchange& exchange);
  // No further request on this connection; the next response head says so.
  void close_after_response();
  net::ReadGate& gate() { return gate_; }
  size_t response_room() const { return outbox_.room(); }
  http::Protocol protocol() const { return codec_->protocol(); }

  // --- for the server ---
  void start_drain();
  // Cuts now.
  void close_now(std::string_view details);

 private:
  enum class State : uint8_t { kOpen, kClosing, kClosed };

  // net::TransportHandler
  void on_ready(net::Ready ready) override;
  // net::OutboxOwner
  void on_sent(size_t bytes) override;
  void on_send_failed() override;
  void on_full(bool full) override;
  // net::AtDispatchEnd: a pipelined request waits to be decoded
  void on_dispatch_end() override;
  // http::ServerEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId stream, http::HeaderMap& trailers) override;
  void on_reset(http::StreamId stream) override;
  void on_error(http::StreamId stream, const http::CodecError& error) override;

  void read();
  void decode();
  void on_first_byte();
  void answer_expectation(Exchange& exchange, http::RequestHeaders& headers);
  void peer_gone();
  void on_idle_timeout();
  void on_headers_timeout();
  void on_duration();
  void close_when_sent();
  void linger();
  enum class ClosedBy : uint8_t { kUs, kPeer };
  void close(ClosedBy by);
  Exchange* find(http::StreamId stream);

  HttpServer& server_;
  const uint64_t id_;
  // By key; null in nearly all connections.
  std::unique_ptr<std::map<const void*, std::unique_ptr<FilterLocal>>> filter_locals_;
  State state_ = State::kOpen;
  bool decoding_ = false;
  bool spoke_ = false;  // a request was parsed
  bool close_after_ = false;
  bool fin_when_sent_ = false;
  bool idle_drain_ = false;  // idle_timeout passed, drain_timeout runs
  uint32_t requests_ = 0;
  MonotonicTime started_;
  MonotonicTime idle_since_;
  MonotonicTime first_byte_;  // of the request that is being read
  std::unique_ptr<net::Transport> transport_;
  AcceptedPtr accepted_;
  std::unique_ptr<http::ServerCodec> codec_;
  net::Outbox outbox_;
  buffer::Buffer in_;  // not decoded yet
  net::ReadGate gate_;
  IntrusiveList<Exchange, DownstreamConnection> exchanges_;
  event::Timer idle_;  // idle_timeout, then drain_timeout, then delayed_close_timeout
  event::RareTimer<DownstreamConnection, &DownstreamConnection::on_headers_timeout>
      headers_;                                                                          // request_headers_timeout
  event::RareTimer<DownstreamConnection, &DownstreamConnection::on_duration> duration_;  // max_connection_duration
};

}  // namespace sluice::proxy
