// DownstreamConnection: one client. Bytes go to the codec, the codec's events become calls on an Exchange; what
// exchanges answer is encoded here and leaves in one write per dispatch.
//
// HTTP/1 has one exchange at a time and ends with `connection: close`. HTTP/2 has many, each with its own window and
// reset, and ends with two GOAWAYs, drain_timeout apart.
//
//   open --answered with close, drained, timed out--> closing (FIN sent, waits for the client) --> closed
//     +----peer gone, error--------------------------------------------------------------------> closed
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "base/intrusive_list.h"
#include "event/loop.h"
#include "event/rare_timer.h"
#include "http/http2/keepalive.h"
#include "http/http2/server_codec.h"
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
                                   private http::http2::Http2ServerEvents {
 public:
  DownstreamConnection(HttpServer& server, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted);
  ~DownstreamConnection() override;

  HttpServer& server() { return server_; }
  upstream::WorkerLocal& local() { return server_.proxy_local(); }
  uint64_t id() const { return accepted_->id(); }
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
  // The response cannot be completed: the client sees the connection end, or with HTTP/2 the stream.
  void cut();
  // What the exchange took so far.
  http::ByteMeter bytes_of(const Exchange& exchange);
  // Of HTTP/2, when a log tells bytes: the exchange is over but for its line, which waits for the frames of what it
  // sent. Exchange::end() is called in this dispatch, or with abort().
  bool waits_for_frames(const Exchange& exchange);
  // Both messages of the exchange are over.
  void exchange_finished(Exchange& exchange);
  // No further request on this connection: the next response head says so, or GOAWAY does.
  void close_after_response();
  // Of HTTP/1: one exchange at a time, so the connection is what stops.
  net::ReadGate& gate() { return gate_; }
  // Of HTTP/2: the stream's window is what stops.
  void on_stream_gate(Exchange& exchange, bool open);
  size_t response_room(const Exchange& exchange);
  bool has_streams() const { return has_streams_; }

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
  // net::AtDispatchEnd: a pipelined request waits to be decoded; frames wait to be written
  void on_dispatch_end() override;
  // http::http2::Http2ServerEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId stream, http::HeaderMap& trailers) override;
  void on_reset(http::StreamId stream, const http::StreamReset& reset) override;
  void on_error(http::StreamId stream, const http::CodecError& error) override;
  void on_stream_full(http::StreamId stream, bool full) override;
  void on_ping_ack() override;
  void on_complete(http::StreamId stream, const http::ByteMeter& bytes) override;

  void read();
  // False: too few bytes came to tell the protocol.
  bool choose_codec();
  void use_http1();
  void use_http2();
  // Of HTTP/2.
  void flush_frames();
  void end_exchanges();
  void send_later() { has_streams() ? flush_later() : outbox_.schedule(); }
  void flush_later() { local().flushes.at_dispatch_end(*this); }
  void start_goaway();
  void on_keepalive_timeout();
  void abandon_streams();
  void stream_finished(Exchange& exchange);
  void count_stream(const Exchange& exchange);
  void fail_streams(std::string_view details, std::optional<format::Flag> flag);
  void decode();
  void on_first_byte();
  void answer_expectation(Exchange& exchange, http::RequestHeaders& headers);
  void peer_gone();
  void on_idle_timeout();
  void on_headers_timeout();
  void on_duration();
  void close_when_sent();
  void linger();

  // What an idle connection of HTTP/1 does without, unless a filter or a timeout of the configuration wants it.
  struct Seldom {
    std::map<const void*, std::unique_ptr<FilterLocal>> filter_locals;  // by key
    event::RareTimer<DownstreamConnection, &DownstreamConnection::on_headers_timeout>
        headers;  // request_headers_timeout
    event::RareTimer<DownstreamConnection, &DownstreamConnection::on_duration>
        duration;  // max_connection_duration, drain_timeout of HTTP/2
    // Of HTTP/2:
    http::http2::Http2ServerCodec* codec = nullptr;     // codec_
    std::unique_ptr<http::http2::KeepAlive> keepalive;  // with connection_keepalive
    uint32_t ended = 0;                                 // streams that we did not end ourselves
    uint32_t premature_resets = 0;                      // ... and how many of them came to nothing at once
  };
  Seldom& seldom();
  void cancel_headers() {
    if (seldom_ != nullptr) seldom_->headers.cancel();
  }
  void cancel_timers() {
    idle_.cancel();
    cancel_headers();
    if (seldom_ != nullptr) seldom_->duration.cancel();
  }

  // A client that goes on sending requests sends the next one within this time. When the process ends, a connection
  // that was silent for so long is closed; an earlier close could cross a request that is on its way.
  static constexpr Duration kQuiet = std::chrono::milliseconds(100);

  void close(ClosedBy by);
  Exchange* find(http::StreamId stream);

  HttpServer& server_;
  State state_ = State::kOpen;
  bool has_streams_ = false;
  bool decoding_ = false;
  bool reading_head_ = false;  // some bytes of a request came
  bool spoke_ = false;         // a request was parsed
  bool close_after_ = false;
  bool fin_when_sent_ = false;
  bool ends_at_once_ = false;  // nothing more can come: no FIN and wait, but the end
  bool holds_end_ = false;     // when it closes, FIN waits for the client's or for delayed_close_timeout
  bool ended_by_us_ = false;   // FIN went out before the client's
  bool idle_drain_ = false;    // idle_timeout passed, drain_timeout runs
  bool lines_wait_ = false;    // HTTP/2: of exchanges that are over, for frames
  bool goaway_done_ = false;   // HTTP/2: the second GOAWAY is out, it ends with its last stream
  uint32_t requests_ = 0;
  MonotonicTime started_;
  MonotonicTime since_;  // when the request that is being read began; without one, when the last ended
  std::unique_ptr<net::Transport> transport_;
  AcceptedPtr accepted_;
  std::unique_ptr<http::ServerCodec> codec_;  // null until the first bytes tell which
  std::unique_ptr<Seldom> seldom_;            // null until something is wanted; with HTTP/2 it is there
  net::Outbox outbox_;
  buffer::Buffer in_;  // not decoded yet
  net::ReadGate gate_;
  IntrusiveList<Exchange, DownstreamConnection> exchanges_;
  event::Timer idle_;  // idle_timeout, then drain_timeout, then delayed_close_timeout
};

}  // namespace sluice::proxy
