#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "net/tls/cipher_bio.h"
#include "net/tls/context.h"

namespace sluice::net::tls {

namespace {

constexpr uint16_t kSupportedGroups = 10, kSignatureAlgorithms = 13, kServerName = 0, kStatusRequest = 5,
                   kSupportedVersions = 43;
constexpr uint16_t kGroupP256 = 0x0017;

// A list of 16-bit numbers behind its length in `prefix` bytes, as extensions have them.
bool lists(std::string_view bytes, size_t prefix, bool (*wanted)(uint16_t)) {
  for (size_t i = prefix; i + 1 < bytes.size(); i += 2) {
    if (wanted(static_cast<uint16_t>(static_cast<unsigned char>(bytes[i]) << 8 |
                                     static_cast<unsigned char>(bytes[i + 1])))) {
      return true;
    }
  }
  return false;
}

// Every length is checked: these bytes are the peer's.
std::string server_name(std::string_view bytes) {
  const auto number = [&](size_t at) {
    return size_t{static_cast<unsigned char>(bytes[at])} << 8 | static_cast<unsigned char>(bytes[at + 1]);
  };
  if (bytes.size() < 5 || bytes[2] != 0) {
    return {};
  }
  const size_t size = number(3);
  return size <= bytes.size() - 5 ? to_lower(bytes.substr(5, size)) : std::string();
}

std::string_view extension(SSL& ssl, unsigned type) {
  const unsigned char* data = nullptr;
  size_t size = 0;
  return SSL_client_hello_get0_ext(&ssl, type, &data, &size) == 1
             ? std::string_view(reinterpret_cast<const char*>(data), size)
             : std::string_view();
}

bool is_ecdsa_scheme(uint16_t scheme) { return (scheme & 0xff) == 3 && scheme >= 0x0403 && scheme <= 0x0603; }
// TLS_ECDHE_ECDSA_*: CBC, GCM and ChaCha20.
bool is_ecdsa_cipher(uint16_t cipher) {
  return cipher == 0xc009 || cipher == 0xc00a || cipher == 0xc023 || cipher == 0xc024 || cipher == 0xc02b ||
         cipher == 0xc02c || cipher == 0xcca9;
}

}  // namespace

Result<std::shared_ptr<const ServerContext>> ServerContext::make(const ServerOptions& options) {
  auto self = std::make_shared<ServerContext>();
  if (auto good = self->init(options, TLS_server_method(), true); !good) {
    return Error{good.error()};
  }
  SSL_CTX& ctx = *self->ssl_ctx_;
  self->full_scan_ = options.full_scan_on_sni_mismatch;
  self->own_order_ = !options.prefer_client_ciphers;
  self->staple_policy_ = options.staple_policy;
  for (const OwnCertificate& own : self->certificates_) {
    if (!own.ocsp && (own.must_staple || options.staple_policy == StaplePolicy::kMust)) {
      return Error{cat("the certificate ", own.path, " needs an ocsp_staple: ",
                       own.must_staple ? "it says so itself" : "ocsp_staple_policy is MUST_STAPLE")};
    }
  }
  for (const OwnCertificate& own : self->certificates_) {
    for (const std::string& name : own.names) {
      auto& list = self->by_name_[name.starts_with("*.") ? name.substr(1) : name];
      // The first one of a kind has the name.
      if (std::none_of(list.begin(), list.end(),
                       [&](const OwnCertificate* other) { return other->ecdsa == own.ecdsa; })) {
        list.push_back(&own);
      }
    }
  }
  if (self->own_order_) {
    SSL_CTX_set_options(&ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  }
  int mode = SSL_VERIFY_NONE;
  if (const Verifier* verifier = self->verifier_.get(); verifier != nullptr) {
    const bool untrusted = verifier->options().accept_untrusted;
    if (!untrusted && (verifier->checks_leaf() || verifier->spiffe())) {
      mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    } else if (untrusted || verifier->has_ca()) {
      mode = SSL_VERIFY_PEER;
    }
    if (verifier->has_ca() && options.require_client_certificate) {
      mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
  }
  SSL_CTX_set_verify(&ctx, mode, nullptr);
  SSL_CTX_set_client_hello_cb(&ctx, on_hello, self.get());
  SSL_CTX_set_tlsext_status_cb(&ctx, on_status);
  SSL_CTX_set_tlsext_status_arg(&ctx, self.get());
  if (!self->alpn_.empty()) {
    SSL_CTX_set_alpn_select_cb(&ctx, on_alpn, self.get());
  }
  if (!options.stateless_resumption) {
    SSL_CTX_set_options(&ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&ctx, 0);
  } else {
    SSL_CTX_set_num_tickets(&ctx, 1);  // one is enough for every client that asks again
  }
  SSL_CTX_set_session_cache_mode(&ctx, options.stateful_resumption ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
  if (options.session_timeout.count() > 0) {
    SSL_CTX_set_timeout(&ctx, static_cast<long>(to_ms(options.session_timeout) / 1000));
  }
  for (const std::string& text : options.ticket_keys) {
    TicketKey key;
    if (text.size() != sizeof(key)) {
      return Error{cat("incorrect TLS session ticket key length: it has ", text.size(), " bytes and needs 80")};
    }
    std::memcpy(&key, text.data(), sizeof(key));
    self->ticket_keys_.push_back(key);
  }
  if (!self->ticket_keys_.empty()) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(&ctx, on_ticket);
  }
  self->bind_sessions(cat("server:", mode));
  return std::shared_ptr<const ServerContext>(std::move(self));
}

SslPtr ServerContext::accept() const {
  SslPtr ssl = new_ssl();
  if (ssl != nullptr) {
    SSL_set_accept_state(ssl.get());
  }
  return ssl;
}

ServerContext::Wanted ServerContext::read_hello(SSL& ssl) {
  Wanted out;
  out.server_name = server_name(extension(ssl, kServerName));
  const std::string_view status = extension(ssl, kStatusRequest);
  out.staple = !status.empty() && status[0] == TLSEXT_STATUSTYPE_ocsp;
  out.tls13 = lists(extension(ssl, kSupportedVersions), 1, [](uint16_t version) { return version == TLS1_3_VERSION; });
  const bool signs = lists(extension(ssl, kSignatureAlgorithms), 2, is_ecdsa_scheme);
  if (out.tls13) {
    out.ecdsa = signs;
    return out;
  }
  const unsigned char* ciphers = nullptr;
  const size_t size = SSL_client_hello_get0_ciphers(&ssl, &ciphers);
  out.ecdsa = signs && lists({reinterpret_cast<const char*>(ciphers), size}, 0, is_ecdsa_cipher) &&
              lists(extension(ssl, kSupportedGroups), 2, [](uint16_t group) { return group == kGroupP256; });
  return out;
}

// Exact name, then wildcard, each with the kind of key that the client can use best; then the first that fits, and the
// first of all.
const OwnCertificate& ServerContext::choose(const Wanted& wanted) const {
  const auto best = [&](const std::vector<const OwnCertificate*>& list) -> const OwnCertificate* {
    const OwnCertificate* rsa = nullptr;
    for (const OwnCertificate* own : list) {
      if (own->ecdsa && wanted.ecdsa) {
        return own;
      }
      if (!own->ecdsa) {
        rsa = own;
      }
    }
    return rsa;
  };
  const std::string_view name = wanted.server_name;
  if (!name.empty()) {
    const auto exact = by_name_.find(name);
    if (exact != by_name_.end()) {
      if (const OwnCertificate* own = best(exact->second)) {
        return *own;
      }
    }
    if (const size_t dot = name.find('.'); dot != std::string_view::npos && dot > 0) {
      const auto wild = by_name_.find(name.substr(dot));
      if (wild != by_name_.end()) {
        if (const OwnCertificate* own = best(wild->second)) {
          return *own;
        }
      }
    }
  }
  if (name.empty() || full_scan_) {
    const OwnCertificate* rsa = nullptr;
    for (const OwnCertificate& own : certificates_) {
      if (own.ecdsa == wanted.ecdsa) {
        return own;
      }
      if (!own.ecdsa && rsa == nullptr) {
        rsa = &own;
      }
    }
    if (rsa != nullptr) {
      return *rsa;
    }
  }
  return certificates_.front();
}

int ServerContext::on_hello(SSL* ssl, int* alert, void* context) {
  const auto& self = *static_cast<const ServerContext*>(context);
  const Wanted wanted = read_hello(*ssl);
  // In TLS 1.3 all ciphers are good and the client knows which one is fast for it.
  if (wanted.tls13 && self.own_order_ && SSL_CTX_get_max_proto_version(self.ssl_ctx_.get()) == TLS1_3_VERSION) {
    SSL_clear_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  const OwnCertificate& own = self.certificates_.size() > 1 ? self.choose(wanted) : self.certificates_.front();
  if (&own != &self.certificates_.front() && !own.use(*ssl)) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (wanted.staple) {
    ConnectionHooks& hooks = CipherBio::of_thread().caller();
    const Staple staple = self.staple(own, hooks.wall_now());
    hooks.on_staple(staple);
    if (staple == Staple::kFailed) {
      *alert = SSL_AD_HANDSHAKE_FAILURE;
      return SSL_CLIENT_HELLO_ERROR;
    }
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

Staple ServerContext::staple(const OwnCertificate& own, WallTime now) const {
  return staple_of(own.must_staple ? StaplePolicy::kMust : staple_policy_, own.ocsp ? &*own.ocsp : nullptr, now);
}

// The client asked, and on_hello() let it pass.
int ServerContext::on_status(SSL* ssl, void* context) {
  const auto& self = *static_cast<const ServerContext*>(context);
  const X509* const leaf = SSL_get_certificate(ssl);
  const auto own = std::find_if(self.certificates_.begin(), self.certificates_.end(),
                                [leaf](const OwnCertificate& one) { return one.leaf.get() == leaf; });
  if (own == self.certificates_.end() ||
      self.staple(*own, CipherBio::of_thread().caller().wall_now()) != Staple::kGiven) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  const std::string& bytes = own->ocsp->bytes;
  auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(bytes.data(), bytes.size()));  // SSL_free() frees it
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(bytes.size()));
  return SSL_TLSEXT_ERR_OK;
}

// Our order decides. Without a common protocol the handshake goes on without one.
int ServerContext::on_alpn(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                           unsigned in_size, void* context) {
  const auto& self = *static_cast<const ServerContext*>(context);
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(self.alpn_.data()),
                                           static_cast<unsigned>(self.alpn_.size()), in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// Returns 1, or 2 to have the client's ticket renewed with the newest key; 0: not one of ours; -1: failed.
int ServerContext::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                             int encrypt) {
  const auto& self =
      *static_cast<const ServerContext*>(static_cast<const Context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))));
  const TicketKey* key = nullptr;
  if (encrypt == 1) {
    key = &self.ticket_keys_.front();
    std::memcpy(name, key->name, sizeof(key->name));
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) {
      return -1;
    }
  } else {
    for (const TicketKey& one : self.ticket_keys_) {
      if (std::memcmp(name, one.name, sizeof(one.name)) == 0) {
        key = &one;
        break;
      }
    }
    if (key == nullptr) {
      return 0;
    }
  }
  char sha256[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key->hmac), sizeof(key->hmac)),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0), OSSL_PARAM_construct_end()};
  const int ready = encrypt == 1 ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->aes, iv)
                                 : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->aes, iv);
  if (ready != 1 || EVP_MAC_CTX_set_params(mac, params) != 1) {
    return -1;
  }
  return encrypt == 0 && key != &self.ticket_keys_.front() ? 2 : 1;
}

}  // namespace sluice::net::tls
