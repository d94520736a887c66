#include <openssl/err.h>

#include "base/strings.h"
#include "net/tls/cipher_bio.h"
#include "net/tls/context.h"

namespace sluice::net::tls {

Result<std::shared_ptr<const ClientContext>> ClientContext::make(const ClientOptions& options) {
  std::shared_ptr<ClientContext> self(new ClientContext(options));
  if (auto good = self->init(options, TLS_client_method(), false); !good) {
    return Error{good.error()};
  }
  SSL_CTX& ctx = *self->ssl_ctx_;
  const bool verify = self->verifier_ != nullptr && self->verifier_->checks();
  if (options.allow_renegotiation) {
    SSL_CTX_clear_options(&ctx, SSL_OP_NO_RENEGOTIATION);
  }
  SSL_CTX_set_verify(&ctx, verify || options.auto_sni_san_validation ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!self->alpn_.empty()) {
    SSL_CTX_set_alpn_protos(&ctx, reinterpret_cast<const unsigned char*>(self->alpn_.data()),
                            static_cast<unsigned>(self->alpn_.size()));
  }
  if (options.max_session_keys > 0) {
    SSL_CTX_set_session_cache_mode(&ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(&ctx, on_session);
  } else {
    SSL_CTX_set_session_cache_mode(&ctx, SSL_SESS_CACHE_OFF);
  }
  self->bind_sessions("client");
  return std::shared_ptr<const ClientContext>(std::move(self));
}

SslPtr ClientContext::connect(const Ask& ask) const {
  SslPtr ssl = new_ssl();
  if (ssl == nullptr) {
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  if (!ask.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl.get(), std::string(ask.server_name).c_str());
  }
  const auto offered = !ask.alpn.empty() ? ask.alpn
                       : alpn_.empty()   ? ask.alpn_fallback
                                         : std::span<const std::string>();
  if (!offered.empty()) {
    if (const auto wire = alpn_wire(offered)) {
      SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(wire->data()),
                          static_cast<unsigned>(wire->size()));
    }
  }
  if (ask.verify) {
    SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
  }
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(ask.session_key);
  if (found != sessions_.end() && !found->second.empty()) {
    SSL_set_session(ssl.get(), found->second.back().get());
    // A ticket of TLS 1.3 is used once, so that nobody can link the connections.
    if (SSL_SESSION_get_protocol_version(found->second.back().get()) >= TLS1_3_VERSION) {
      found->second.pop_back();
    }
  }
  return ssl;
}

void ClientContext::keep_session(std::string_view key, SessionPtr session) const {
  const std::lock_guard lock(mutex_);
  auto found = sessions_.find(key);
  if (found == sessions_.end()) {
    if (sessions_.size() >= kMaxSessions) {
      sessions_.erase(sessions_.begin());
    }
    found = sessions_.emplace(std::string(key), std::vector<SessionPtr>()).first;
  }
  if (found->second.size() >= options_.max_session_keys) {
    found->second.erase(found->second.begin());
  }
  found->second.push_back(std::move(session));
}

int ClientContext::on_session(SSL*, SSL_SESSION* session) {
  CipherBio::of_thread().caller().on_session(SessionPtr(session));
  return 1;  // it is ours now
}

}  // namespace sluice::net::tls
