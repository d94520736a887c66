// TlsTransport: TLS as a Transport over another one. OpenSSL never sees the pipe: a BIO of ours gives it the bytes that
// were read, and collects all records of a dispatch behind each other, so that they leave in one send.
//
//   (connecting) --inner connected--> handshake --done--> open --close_notify--> peer closed
//        |                               |                  |
//        +------ inner failed -----------+-- fatal alert ---+--> failed
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "buffer/buffer.h"
#include "net/tls/context.h"
#include "net/tls/tls_facts_text.h"
#include "net/transport.h"
#include "net/transport_socket.h"

namespace sluice::net::tls {

class TlsStats;
struct CipherBio;

// What the transports of one worker and plan share. Part of a TransportSocket; not used after a transport is closed.
// Thread: worker.
struct TlsShared {
  const TransportScope& scope;
  TlsStats& stats;
};

// What is needed until the handshake is over. Part of its TlsTransport. Thread: worker.
struct Handshake {
  explicit Handshake(event::Loop& loop, Function<void()> on_time_out) : timer(loop.timers(), std::move(on_time_out)) {}

  event::Timer timer;           // the limit of a handshake
  Function<void()> on_timeout;  // tells who counts them
  TransportWishes wishes;
  bool first_flight = true;  // no byte was given to OpenSSL yet
  std::string refusal;       // why the certificate was refused: stands in the failure
};

// Bytes that did not go on at once. Part of its TlsTransport, and there only while it is needed. Thread: worker.
struct Waiting {
  explicit Waiting(buffer::SlabPool& slabs) : in(slabs), out(slabs) {}

  buffer::Buffer in;   // records that OpenSSL has not seen yet
  buffer::Buffer out;  // records that the pipe did not take yet
};

// Thread: its loop's.
class TlsTransport final : public Transport, private TransportHandler, private ConnectionHooks, private TlsFacts {
 public:
  static std::unique_ptr<Transport> accept(const TlsShared& shared, std::unique_ptr<Transport> inner,
                                           std::shared_ptr<const ServerContext> context, Duration timeout,
                                           Function<void()> on_timeout);
  // `server_name`: SNI; `session_key`: see ClientContext::Ask.
  static std::unique_ptr<Transport> connect(const TlsShared& shared, std::unique_ptr<Transport> inner,
                                            std::shared_ptr<const ClientContext> context, std::string_view server_name,
                                            const TransportWishes& wishes);
  // There is no context, for its secrets are missing: fails at once.
  static std::unique_ptr<Transport> refuse(const TlsShared& shared, std::unique_ptr<Transport> inner);
  ~TlsTransport() override;

  void set_handler(TransportHandler* handler) override { handler_ = handler; }
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override;
  IoResult write(buffer::Buffer& from) override;
  void want_read(bool on) override;
  void want_write(bool on) override;
  void shutdown_write() override;
  void close(CloseHow how) override;
  bool closed() const override { return state_ == State::kClosed; }
  const Address& local() const override { return inner_->local(); }
  const Address& remote() const override { return inner_->remote(); }
  std::string_view failure() const override { return failure_ != nullptr ? *failure_ : inner_->failure(); }
  std::string_view alpn() const override;
  // Of a client also before its handshake, and when that failed: filters and logs see how far it came.
  const TlsFacts* tls() const override { return opened_ || (server_ && ssl_ != nullptr) ? this : nullptr; }
  uint64_t written() const override { return inner_->written(); }
  bool nothing_arrived_since(uint64_t mark) const override { return inner_->nothing_arrived_since(mark); }

 private:
  enum class State : uint8_t { kConnecting, kHandshake, kOpen, kFailed, kClosed };

  enum class Role : uint8_t { kServer, kClient };
  TlsTransport(const TlsShared& shared, std::unique_ptr<Transport> inner, std::shared_ptr<const Context> context,
               Role role);

  // TransportHandler: of the inner transport
  void on_ready(Ready ready) override;
  // TlsFacts
  const TlsTexts& texts() const override;
  // ConnectionHooks
  WallTime wall_now() const override { return shared_.scope.loop.wall_now(); }
  std::span<const std::string> verify_names() const override;
  void on_verdict(Verdict verdict) override;
  const X509* settled_peer() const override { return peer_.get(); }
  void on_staple(Staple staple) override;
  void on_session(SessionPtr session) override;
  const Address& local_address() const override { return inner_->local(); }
  const Address& remote_address() const override { return inner_->remote(); }

  enum class Step : uint8_t { kMore, kDone, kFailed };

  void on_handshake_ready(Ready ready);
  void begin_handshake();
  Step read_handshake(IoStatus& pipe);
  Step step_handshake();
  void finish_handshake();
  void refuse_hello();
  void send_alert(int alert);
  void on_timeout();
  void on_open_ready(Ready ready);
  void tell(Ready ready);
  // The handler will be called although no event comes: something waits here, not in the kernel.
  void wake_later();
  bool something_waits() const {
    return (waiting_ != nullptr && !waiting_->in.empty()) || (notified_ && !eof_told_) || state_ == State::kFailed;
  }
  IoStatus decrypt(ReadLease& lease, buffer::Buffer& in, buffer::Buffer& into, size_t& total);
  CipherBio& bio();
  Waiting& waiting();
  // An open connection through which all has gone needs no Waiting.
  void settle();
  // Sends what waits and what OpenSSL produced; false: the pipe is dead.
  bool send_produced(CipherBio& bio);
  bool send_out();
  // Drains what the pipe takes.
  bool send(buffer::Buffer& out);
  void fail(std::string_view reason);
  std::string count_failure();
  void update_inner_write() { inner_->want_write(blocked_ || (write_on_ && !renegotiates_)); }

  TlsShared shared_;
  std::unique_ptr<Transport> inner_;
  std::shared_ptr<const Context> context_;
  SslPtr ssl_;
  TransportHandler* handler_ = nullptr;
  std::unique_ptr<Waiting> waiting_;
  uint32_t owed_ = 0;  // bytes at the front of what write() is given next that stand in Waiting already
  State state_ = State::kHandshake;
  const bool server_;
  bool read_on_ = true;
  bool write_on_ = false;
  bool opened_ = false;        // the handshake ended well
  bool blocked_ = false;       // the pipe took less than all: the rest is in Waiting
  bool dead_ = false;          // ... or nothing, and never will
  bool renegotiates_ = false;  // nothing can be written until the server has answered
  bool notified_ = false;      // the peer's close_notify came
  bool eof_told_ = false;
  bool shut_ = false;           // our close_notify is out
  bool fin_after_out_ = false;  // shutdown_write() waits for Waiting
  std::unique_ptr<Handshake> handshake_;
  std::unique_ptr<event::Timer> wake_;  // the handler must be called although no event will come
  std::unique_ptr<std::string> failure_;
  std::unique_ptr<std::string> session_key_;       // client
  X509Ptr peer_;                                   // client that may renegotiate: the server's certificate
  mutable std::shared_ptr<const TlsTexts> texts_;  // made when somebody asks
};

}  // namespace sluice::net::tls
