#include "net/tls/tls_transport.h"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "net/tls/cipher_bio.h"

namespace sluice::net::tls {

namespace {
// What is encrypted before it is sent: one send for nearly every response.
constexpr size_t kFlight = 128 * 1024;
// Records are this much longer than what is in them, at most.
constexpr size_t kOverhead = 512;
}  // namespace

TlsTransport::TlsTransport(const TlsShared& shared, std::unique_ptr<Transport> inner,
                           std::shared_ptr<const Context> context, Role role)
    : shared_(shared),
      inner_(std::move(inner)),
      context_(std::move(context)),
      waiting_(std::make_unique<Waiting>(shared.scope.slabs)),
      server_(role == Role::kServer),
      handshake_(std::make_unique<Handshake>(shared.scope.loop, [this] { on_timeout(); })) {
  inner_->set_handler(this);
}

std::unique_ptr<Transport> TlsTransport::accept(const TlsShared& shared, std::unique_ptr<Transport> inner,
                                                std::shared_ptr<const ServerContext> context, Duration timeout,
                                                Function<void()> on_timeout) {
  std::unique_ptr<TlsTransport> self(new TlsTransport(shared, std::move(inner), context, Role::kServer));
  self->ssl_ = context->accept();
  if (self->ssl_ != nullptr) {
    BIO* bio = CipherBio::of_thread().reference();
    SSL_set_bio(self->ssl_.get(), bio, bio);
  }
  if (timeout.count() > 0) {
    self->handshake_->on_timeout = std::move(on_timeout);
    self->handshake_->timer.arm(timeout);
  }
  return self;
}

std::unique_ptr<Transport> TlsTransport::connect(const TlsShared& shared, std::unique_ptr<Transport> inner,
                                                 std::shared_ptr<const ClientContext> context,
                                                 std::string_view server_name, const TransportWishes& wishes) {
  std::unique_ptr<TlsTransport> self(new TlsTransport(shared, std::move(inner), context, Role::kClient));
  self->state_ = State::kConnecting;
  self->handshake_->wishes = wishes;
  self->session_key_ = std::make_unique<std::string>(cat(server_name, "\n", wishes.key()));
  // Names that are asked for by the request are checked whatever the configuration says.
  self->ssl_ = context->connect({.server_name = server_name,
                                 .alpn_fallback = wishes.alpn_fallback,
                                 .alpn = wishes.alpn,
                                 .session_key = *self->session_key_,
                                 .verify = !wishes.verify_names.empty()});
  if (self->ssl_ != nullptr) {
    BIO* bio = CipherBio::of_thread().reference();
    SSL_set_bio(self->ssl_.get(), bio, bio);
  }
  return self;
}

TlsTransport::~TlsTransport() {
  close(CloseHow::kFin);
  if (ssl_ != nullptr) {
    // However the connection ended, its session may be resumed.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

void TlsTransport::on_ready(Ready ready) {
  if (state_ == State::kConnecting || state_ == State::kHandshake) {
    on_handshake_ready(ready);
  } else if (state_ == State::kOpen || state_ == State::kFailed) {
    on_open_ready(ready);
  }
}

void TlsTransport::tell(Ready ready) {
  if (handler_ != nullptr &&
      (ready.readable || ready.writable || ready.connected || ready.failed || ready.peer_closed)) {
    handler_->on_ready(ready);
  }
}

void TlsTransport::on_open_ready(Ready ready) {
  if (ready.writable) {
    if (blocked_ && send_out() && fin_after_out_ && !blocked_) {
      fin_after_out_ = false;
      inner_->shutdown_write();
    }
    update_inner_write();
    ready.writable = write_on_ && !blocked_;
  }
  ready.readable = ready.readable && !eof_told_;
  tell(ready);
}

void TlsTransport::wake_later() {
  if (wake_ == nullptr) {
    wake_ = std::make_unique<event::Timer>(shared_.scope.loop.timers(), [this] {
      if (state_ != State::kClosed && read_on_ && something_waits()) {
        tell({.readable = true});
      }
    });
  }
  wake_->arm(Duration(0));
}

IoResult TlsTransport::read(ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (state_ != State::kOpen) {
    return {state_ == State::kConnecting || state_ == State::kHandshake ? IoStatus::kAgain : IoStatus::kFailed};
  }
  if (notified_) {
    eof_told_ = true;
    inner_->want_read(false);
    return {IoStatus::kEof};
  }
  // What is decrypted is never longer than its records, but for one that began earlier.
  const size_t room = lease.room().size();
  constexpr size_t kReserve = CipherBio::kRecord + kOverhead;
  if (room < 3 * kReserve) {
    return {IoStatus::kAgain};
  }
  IoStatus pipe = IoStatus::kOk;
  buffer::Buffer in(shared_.scope.slabs);
  if (waiting_ != nullptr && !waiting_->in.empty()) {
    in = std::move(waiting_->in);
    settle();
  } else {
    pipe = inner_->read(lease, std::min(max, (room - kReserve) / 2), in).status;
  }
  size_t total = 0;
  IoStatus status = in.empty() ? IoStatus::kAgain : decrypt(lease, in, into, total);
  if (status == IoStatus::kAgain && (pipe == IoStatus::kEof || pipe == IoStatus::kFailed)) {
    // Without a close_notify the end may be somebody else's doing: a message is not complete because of it.
    if (pipe == IoStatus::kFailed && server_ && failure_ == nullptr) {
      failure_ = std::make_unique<std::string>(system_error(inner_->failure()));
    }
    state_ = State::kFailed;
    status = IoStatus::kFailed;
  }
  if (status == IoStatus::kEof) {
    notified_ = true;
    in.clear();
    if (total == 0) {
      eof_told_ = true;
      inner_->want_read(false);
    }
  }
  if (total > 0) {
    if (something_waits()) {
      wake_later();
    }
    return {IoStatus::kOk, total};
  }
  return {status};
}

// Everything that is in `in`. kAgain: all of it was taken.
IoStatus TlsTransport::decrypt(ReadLease& lease, buffer::Buffer& in, buffer::Buffer& into, size_t& total) {
  ERR_clear_error();
  CipherBio& bio = CipherBio::of_thread().use(*this, &in);
  const char* const start = lease.room().data();
  int error = SSL_ERROR_NONE;
  while (true) {
    const std::span<char> room = lease.room();
    size_t size = 0;
    if (SSL_read_ex(ssl_.get(), room.data(), room.size(), &size) != 1) {
      error = SSL_get_error(ssl_.get(), 0);
      break;
    }
    lease.use(size);
    total += size;
  }
  if (total > 0) {
    into.append_borrowed({start, total});
  }
  if (bio.size > 0) {
    (void)send_produced(bio);  // an alert, the answer to a key update, a renegotiation
  }
  if (renegotiates_ && SSL_in_init(ssl_.get()) == 0) {
    renegotiates_ = false;
    update_inner_write();
  }
  if (error == SSL_ERROR_WANT_READ) {
    return IoStatus::kAgain;
  }
  if (error == SSL_ERROR_ZERO_RETURN) {
    return IoStatus::kEof;
  }
  if (std::string reason = count_failure(); !reason.empty()) {
    failure_ = std::make_unique<std::string>(std::move(reason));
  }
  in.clear();
  state_ = State::kFailed;
  return IoStatus::kFailed;
}

IoResult TlsTransport::write(buffer::Buffer& from) {
  if (state_ != State::kOpen || dead_ || shut_) {
    return {state_ == State::kConnecting || state_ == State::kHandshake ? IoStatus::kAgain : IoStatus::kFailed};
  }
  if (blocked_) {
    return {from.empty() ? IoStatus::kOk : IoStatus::kAgain};
  }
  size_t done = std::exchange(owed_, 0U);
  from.drain(done);
  while (!from.empty() && !blocked_) {
    CipherBio& bio = this->bio();
    ERR_clear_error();
    size_t last = 0;  // of the record that was written last: drained once it is on its way
    while (from.size() > last && bio.size < kFlight) {
      from.drain(last);
      done += std::exchange(last, 0);
      std::string_view part = from.front();
      if (part.size() < CipherBio::kRecord && from.size() > part.size()) {
        part = {bio.plain.get(), from.copy_out(bio.plain.get(), CipherBio::kRecord)};
      }
      part = part.substr(0, CipherBio::kRecord);
      if (SSL_write_ex(ssl_.get(), part.data(), part.size(), &last) != 1) {
        if (SSL_get_error(ssl_.get(), 0) == SSL_ERROR_WANT_READ) {
          renegotiates_ = true;
          const bool sent = send_produced(bio);
          return {!sent ? IoStatus::kFailed : done > 0 ? IoStatus::kOk : IoStatus::kAgain, done};
        }
        if (std::string reason = count_failure(); !reason.empty()) {
          failure_ = std::make_unique<std::string>(std::move(reason));
        }
        dead_ = true;
        return {IoStatus::kFailed, done};
      }
    }
    if (!send_produced(bio)) {
      return {IoStatus::kFailed, done};
    }
    if (blocked_) {
      owed_ = static_cast<uint32_t>(last);
    } else {
      from.drain(last);
      done += last;
    }
  }
  return {done > 0 || from.empty() ? IoStatus::kOk : IoStatus::kAgain, done};
}

CipherBio& TlsTransport::bio() {
  return CipherBio::of_thread().use(*this, waiting_ != nullptr ? &waiting_->in : nullptr);
}

Waiting& TlsTransport::waiting() {
  if (waiting_ == nullptr) {
    waiting_ = std::make_unique<Waiting>(shared_.scope.slabs);
  }
  return *waiting_;
}

void TlsTransport::settle() {
  if (waiting_ != nullptr && state_ == State::kOpen && waiting_->in.empty() && waiting_->out.empty()) {
    waiting_.reset();
  }
}

bool TlsTransport::send_produced(CipherBio& bio) {
  if (waiting_ != nullptr || bio.size == 0) {
    if (bio.size > 0) {
      waiting_->out.append_borrowed(bio.produced());
      bio.size = 0;
    }
    return send_out();
  }
  buffer::Buffer out(shared_.scope.slabs);
  out.append_borrowed(bio.produced());
  bio.size = 0;
  const bool alive = send(out);
  if (!out.empty()) {
    waiting().out = std::move(out);
  }
  return alive;
}

bool TlsTransport::send_out() {
  if (waiting_ == nullptr) {
    return !dead_;
  }
  const bool alive = send(waiting_->out);
  settle();
  return alive;
}

bool TlsTransport::send(buffer::Buffer& out) {
  if (dead_) {
    out.clear();
    return false;
  }
  if (!out.empty()) {
    if (inner_->write(out).status == IoStatus::kFailed) {
      dead_ = true;
      blocked_ = false;
      out.clear();
      return false;
    }
    out.own();
  }
  if (blocked_ != !out.empty()) {
    blocked_ = !out.empty();
    update_inner_write();
  }
  return true;
}

void TlsTransport::want_read(bool on) {
  read_on_ = on;
  if (state_ != State::kOpen) {
    return;
  }
  inner_->want_read(on && !eof_told_);
  if (on && something_waits()) {
    wake_later();
  }
}

void TlsTransport::want_write(bool on) {
  write_on_ = on;
  if (state_ == State::kOpen) {
    update_inner_write();
  }
}

void TlsTransport::shutdown_write() {
  if (state_ != State::kOpen || shut_) {
    return;
  }
  shut_ = true;
  ERR_clear_error();
  CipherBio& bio = this->bio();
  (void)SSL_shutdown(ssl_.get());
  if (!send_produced(bio)) {
    return;
  }
  if (blocked_) {
    fin_after_out_ = true;
  } else {
    inner_->shutdown_write();
  }
}

void TlsTransport::close(CloseHow how) {
  if (state_ == State::kClosed) {
    return;
  }
  if (state_ == State::kOpen && !shut_ && how == CloseHow::kFin) {
    ERR_clear_error();
    CipherBio& bio = this->bio();
    (void)SSL_shutdown(ssl_.get());
    (void)send_produced(bio);
  }
  state_ = State::kClosed;
  handler_ = nullptr;
  if (handshake_ != nullptr) {
    handshake_->timer.cancel();
  }
  wake_.reset();
  inner_->close(how);
}

std::string_view TlsTransport::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (ssl_ != nullptr) {
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  }
  return {reinterpret_cast<const char*>(name), size};
}

const TlsTexts& TlsTransport::texts() const {
  if (texts_ == nullptr || state_ == State::kHandshake) {
    texts_ = read_facts(*ssl_, context_, *this);
  }
  return *texts_;
}

}  // namespace sluice::net::tls
