// The handshake of a TlsTransport, and what its context says of it.
#include <openssl/err.h>

#include <utility>

#include "base/strings.h"
#include "net/tls/cipher_bio.h"
#include "net/tls/tls_stats.h"
#include "net/tls/tls_transport.h"

namespace sluice::net::tls {

using stats::TlsStat;

namespace {
constexpr size_t kHandshakeRead = 64 * 1024;
constexpr std::string_view kNoSecret = "TLS_error: Secret is not supplied by SDS";
constexpr std::string_view kNoCertificate = "peer did not provide required client certificate";
}  // namespace

std::unique_ptr<Transport> TlsTransport::refuse(const TlsShared& shared, std::unique_ptr<Transport> inner) {
  std::unique_ptr<TlsTransport> self(new TlsTransport(shared, std::move(inner), nullptr, Role::kServer));
  TlsTransport& transport = *self;
  self->wake_ = std::make_unique<event::Timer>(shared.scope.loop.timers(), [&transport] { transport.fail(kNoSecret); });
  self->wake_->arm(Duration(0));
  return self;
}

std::span<const std::string> TlsTransport::verify_names() const {
  return handshake_ != nullptr ? std::span<const std::string>(handshake_->wishes.verify_names)
                               : std::span<const std::string>();
}

void TlsTransport::on_verdict(Verdict verdict) {
  auto& block = shared_.stats.block();
  switch (verdict.refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kError:
      block.inc(TlsStat::kFailVerifyError);
      break;
    case Refusal::kSan:
      block.inc(TlsStat::kFailVerifySan);
      break;
    case Refusal::kHash:
      block.inc(TlsStat::kFailVerifyCertHash);
      break;
  }
  if (handshake_ != nullptr) {
    handshake_->refusal = std::move(verdict.details);
  }
}

void TlsTransport::on_staple(Staple staple) {
  auto& block = shared_.stats.block();
  block.inc(TlsStat::kOcspStapleRequests);
  switch (staple) {
    case Staple::kGiven:
      block.inc(TlsStat::kOcspStapleResponses);
      break;
    case Staple::kOmitted:
      block.inc(TlsStat::kOcspStapleOmitted);
      break;
    case Staple::kFailed:
      block.inc(TlsStat::kOcspStapleFailed);
      break;
  }
}

void TlsTransport::on_session(SessionPtr session) {
  if (session_key_ != nullptr) {
    static_cast<const ClientContext&>(*context_).keep_session(*session_key_, std::move(session));
  }
}

void TlsTransport::on_handshake_ready(Ready ready) {
  if (ready.failed || ssl_ == nullptr) {
    fail(ssl_ == nullptr ? kNoSecret : std::string_view());
    return;
  }
  if (ready.connected) {
    state_ = State::kHandshake;
    begin_handshake();
    return;
  }
  if (ready.writable) {
    if (!send_out()) {
      fail({});
      return;
    }
    update_inner_write();
  }
  if (!ready.readable) {
    return;
  }
  IoStatus pipe = IoStatus::kOk;
  switch (read_handshake(pipe)) {
    case Step::kMore:
      if (pipe == IoStatus::kEof) {
        fail({});
      } else if (pipe == IoStatus::kFailed) {
        fail(system_error(inner_->failure()));
      }
      break;
    case Step::kDone:
      finish_handshake();
      break;
    case Step::kFailed:
      fail(count_failure());
      break;
  }
}

// The client speaks first.
void TlsTransport::begin_handshake() {
  handshake_->first_flight = false;
  if (step_handshake() == Step::kFailed) {
    fail(count_failure());
  }
}

// `pipe`: how reading went.
TlsTransport::Step TlsTransport::read_handshake(IoStatus& pipe) {
  ReadLease lease(shared_.scope.read_buffer);
  buffer::Buffer& in = waiting().in;
  const IoResult got = inner_->read(lease, kHandshakeRead, in);
  pipe = got.status;
  Step step = Step::kMore;
  if (server_ && handshake_->first_flight) {
    // A ClientHello above 16 KiB is refused before anything is kept of it. Its length stands in the first 9 bytes.
    constexpr size_t kNeeded = 9;
    if (!in.empty() && in.front()[0] == SSL3_RT_HANDSHAKE && in.size() < kNeeded) {
      in.own();
      return step;
    }
    handshake_->first_flight = in.empty();
    if (in.size() >= kNeeded && in.front()[0] == SSL3_RT_HANDSHAKE) {
      const auto* head = reinterpret_cast<const unsigned char*>(in.linearize(kNeeded).data());
      if ((size_t{head[6]} << 16 | size_t{head[7]} << 8 | head[8]) > CipherBio::kRecord) {
        refuse_hello();
        return Step::kFailed;
      }
    }
  }
  if (got.bytes > 0 || !in.empty()) {
    step = step_handshake();
  }
  in.own();
  return step;
}

void TlsTransport::refuse_hello() {
  waiting().in.clear();
  send_alert(SSL_AD_ILLEGAL_PARAMETER);
  ERR_clear_error();
  ERR_raise(ERR_LIB_SSL, SSL_R_EXCESSIVE_MESSAGE_SIZE);
}

// A fatal one, before any key is agreed.
void TlsTransport::send_alert(int alert) {
  const char record[] = {SSL3_RT_ALERT, 0x03, 0x01, 0x00, 0x02, SSL3_AL_FATAL, static_cast<char>(alert)};
  waiting().out.append_copy({record, sizeof(record)});
  (void)send_out();
}

TlsTransport::Step TlsTransport::step_handshake() {
  ERR_clear_error();
  CipherBio& bio = this->bio();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    // The tickets leave with the first answer when its request is here already.
    waiting().out.append_copy(bio.produced());
    return Step::kDone;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (server_ && error == SSL_ERROR_SSL && bio.size == 0 &&
      ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER) {
    send_alert(SSL_AD_PROTOCOL_VERSION);  // OpenSSL says nothing to what does not look like TLS
    return Step::kFailed;
  }
  const bool sent = send_produced(bio);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    return Step::kFailed;
  }
  return sent ? Step::kMore : Step::kFailed;
}

void TlsTransport::finish_handshake() {
  state_ = State::kOpen;
  opened_ = true;
  handshake_.reset();
  texts_.reset();
  const bool checked = (context_->verifier() != nullptr && context_->verifier()->checks()) ||
                       SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE;
  peer_presented = SSL_get0_peer_certificate(ssl_.get()) != nullptr;
  peer_validated = peer_presented && checked && SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  shared_.stats.count_handshake(*ssl_);
  inner_->want_read(read_on_);
  if (!server_) {
    if ((SSL_get_options(ssl_.get()) & SSL_OP_NO_RENEGOTIATION) == 0) {
      peer_.reset(SSL_get1_peer_certificate(ssl_.get()));
      SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);  // the next one asks settled_peer() at least
    }
    if (!send_out()) {
      fail({});
      return;
    }
    if (something_waits()) {
      wake_later();
    }
    tell({.connected = true});
    return;
  }
  if (something_waits()) {
    if (read_on_) {
      tell({.readable = true});
    } else {
      wake_later();
    }
  }
  if (state_ == State::kOpen && !blocked_) {
    (void)send_out();  // a dead pipe is found by the next read
  }
}

void TlsTransport::on_timeout() {
  if (Function<void()> count = std::move(handshake_->on_timeout)) {
    count();
  }
  fail({});
}

// Counts what stands in OpenSSL's queue, and says it in words for logs.
std::string TlsTransport::count_failure() {
  const QueuedErrors errors = take_errors();
  if (errors.no_certificate) {
    shared_.stats.block().inc(TlsStat::kFailVerifyNoCert);
  }
  if (!errors.text.empty() && !errors.counted) {
    shared_.stats.block().inc(TlsStat::kConnectionError);
  }
  if (errors.text.empty()) {
    return {};
  }
  std::string text = cat("TLS_error:", errors.text);
  if (handshake_ != nullptr) {
    if (!server_ && SSL_get_state(ssl_.get()) == TLS_ST_CW_CLNT_HELLO &&
        errors.text.ends_with("ALERT_HANDSHAKE_FAILURE")) {
      text += boring_error(154, "HANDSHAKE_FAILURE_ON_CLIENT_HELLO");
    }
    const std::string_view refusal = errors.no_certificate ? kNoCertificate : std::string_view(handshake_->refusal);
    append(text, refusal.empty() ? "" : ":", refusal);
  }
  return text + ":TLS_error_end";
}

void TlsTransport::fail(std::string_view reason) {
  // Where TLS has no reason to tell there is none; only a connect that failed has the system's.
  if (failure_ == nullptr && state_ != State::kConnecting) {
    failure_ = std::make_unique<std::string>(reason);
  }
  state_ = State::kFailed;
  if (handshake_ != nullptr) {
    handshake_->timer.cancel();
  }
  inner_->want_read(false);
  tell({.failed = true});
}

}  // namespace sluice::net::tls
