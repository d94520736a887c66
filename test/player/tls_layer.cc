#include "test/player/tls_layer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::player {

namespace {

// ALPN's form: each name behind its length.
std::string alpn_list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    append(out, static_cast<char>(name.size()), name);
  }
  return out;
}

std::vector<std::string> alpn_of(const Spec& spec, const std::vector<std::string>& otherwise) {
  if (!spec.has("alpn")) {
    return otherwise;
  }
  std::vector<std::string> out;
  for (const Spec& name : spec["alpn"].list()) {
    out.push_back(name.text());
  }
  return out;
}

void use_certificate(SSL_CTX* context, const std::string& pki, const std::string& name) {
  const std::string file = cat(pki, "/", name);
  const bool loaded = SSL_CTX_use_certificate_chain_file(context, cat(file, ".pem").c_str()) == 1 &&
                      SSL_CTX_use_PrivateKey_file(context, cat(file, ".key").c_str(), SSL_FILETYPE_PEM) == 1;
  SLUICE_CHECK(loaded);
}

int version_of(const Spec& version) {
  const std::string text = version.text();
  return text == "1.0"   ? TLS1_VERSION
         : text == "1.1" ? TLS1_1_VERSION
         : text == "1.2" ? TLS1_2_VERSION
                         : TLS1_3_VERSION;
}

SSL_CTX* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  return context;
}

SSL* new_ssl(SSL_CTX* context) {
  SSL* ssl = SSL_new(context);
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  return ssl;
}

// Frees what select_alpn() uses with its context.
void free_list(void*, void* list, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(list); }

int select_alpn(SSL* ssl, const unsigned char** out, unsigned char* length, const unsigned char* in,
                unsigned int in_length, void* index) {
  const auto* ours =
      static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), *static_cast<const int*>(index)));
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, length, reinterpret_cast<const unsigned char*>(ours->data()),
                                          static_cast<unsigned int>(ours->size()), in, in_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Value certificate(SSL* ssl) {
  X509* peer = SSL_get1_peer_certificate(ssl);
  if (peer == nullptr) {
    return {};
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  X509_digest(peer, EVP_sha256(), digest, &size);
  X509_free(peer);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    append(hex, "0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]);
  }
  Value::Map out;
  out.set("$cert", hex);
  return out;
}

}  // namespace

std::unique_ptr<TlsLayer> TlsLayer::client(const Spec& tls, const std::vector<std::string>& alpn,
                                           const std::string& pki) {
  SSL_CTX* context = new_context(TLS_client_method());
  if (tls["cert"].truthy()) {
    use_certificate(context, pki, tls["cert"].text());
  }
  if (tls.has("min")) {
    SSL_CTX_set_min_proto_version(context, version_of(tls["min"]));
  }
  if (tls.has("max")) {
    SSL_CTX_set_max_proto_version(context, version_of(tls["max"]));
  }
  if (tls.has("ciphers")) {
    SLUICE_CHECK(SSL_CTX_set_cipher_list(context, tls["ciphers"].text().c_str()) == 1);
  }
  SSL* ssl = new_ssl(context);
  SSL_CTX_free(context);  // the connection keeps it
  const std::string list = alpn_list(alpn_of(tls, alpn));
  if (!list.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned int>(list.size()));
  }
  const std::string name = tls.has("sni") ? tls["sni"].text() : "server.test";
  if (!name.empty()) {
    SSL_set_tlsext_host_name(ssl, name.c_str());
  }
  SSL_set_connect_state(ssl);
  return std::unique_ptr<TlsLayer>(new TlsLayer(ssl, Role::kClient, tls["record_cipher"].truthy()));
}

TlsLayer::Server TlsLayer::new_server(const Spec& origin, const std::vector<std::string>& alpn,
                                      const std::string& pki) {
  static const int kListIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_list);
  SSL_CTX* context = new_context(TLS_server_method());
  use_certificate(context, pki, origin["cert"].text("server"));
  const std::string list = alpn_list(alpn_of(origin, alpn));
  if (!list.empty()) {
    SSL_CTX_set_ex_data(context, kListIndex, new std::string(list));
    SSL_CTX_set_alpn_select_cb(context, select_alpn, const_cast<int*>(&kListIndex));
  }
  const std::string wanted = origin["client_cert"].text();
  if (wanted == "request" || wanted == "require") {
    SLUICE_CHECK(SSL_CTX_load_verify_locations(context, cat(pki, "/ca.pem").c_str(), nullptr) == 1);
    SSL_CTX_set_verify(
        context, wanted == "require" ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER, nullptr);
  }
  // Python's servers have one, too.
  static constexpr unsigned char kSessions[] = "player";
  SSL_CTX_set_session_id_context(context, kSessions, sizeof(kSessions) - 1);
  SSL_CTX_set_tlsext_servername_callback(context, &TlsLayer::on_name);
  return {context, SSL_CTX_free};
}

std::unique_ptr<TlsLayer> TlsLayer::server(const Server& server) {
  SSL* ssl = new_ssl(server.get());
  SSL_set_accept_state(ssl);
  return std::unique_ptr<TlsLayer>(new TlsLayer(ssl, Role::kServer, false));
}

TlsLayer::TlsLayer(ssl_st* ssl, Role role, bool tell_cipher) : ssl_(ssl), role_(role), tell_cipher_(tell_cipher) {
  SSL_set_app_data(ssl_, this);
}

TlsLayer::~TlsLayer() { SSL_free(ssl_); }

void TlsLayer::take(std::string_view records, std::string& plain) {
  if (!failure_.empty()) {
    return;
  }
  BIO_write(SSL_get_rbio(ssl_), records.data(), static_cast<int>(records.size()));
  ERR_clear_error();
  if (!open_) {
    const int done = SSL_do_handshake(ssl_);
    if (done != 1) {
      if (SSL_get_error(ssl_, done) == SSL_ERROR_SSL) {
        fail();
      }
      return;
    }
    open_ = true;
    note_facts();
  }
  char part[16 * 1024];
  int n = 0;
  while ((n = SSL_read(ssl_, part, sizeof(part))) > 0) {
    plain.append(part, static_cast<size_t>(n));
  }
  switch (SSL_get_error(ssl_, n)) {
    case SSL_ERROR_ZERO_RETURN:
      peer_finished_ = true;
      break;
    case SSL_ERROR_SSL:
      fail();
      break;
    default:
      break;
  }
}

void TlsLayer::fail() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  failure_ = reason == nullptr ? "error" : to_lower(reason);
  std::replace_if(
      failure_.begin(), failure_.end(), [](char c) { return c == ' ' || c == '/' || c == '-'; }, '_');
}

int TlsLayer::on_name(ssl_st* ssl, int*, void*) {
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    static_cast<TlsLayer*>(SSL_get_app_data(ssl))->asked_name_ = name;
  }
  return SSL_TLSEXT_ERR_OK;
}

void TlsLayer::note_facts() {
  facts_.set("version", SSL_get_version(ssl_));
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  facts_.set("alpn", length == 0 ? Value() : Value(std::string(reinterpret_cast<const char*>(name), length)));
  facts_.set(role_ == Role::kClient ? "server_cert" : "client_cert", certificate(ssl_));
  if (tell_cipher_) {
    facts_.set("cipher", SSL_get_cipher_name(ssl_));
  }
  if (role_ == Role::kServer) {
    facts_.set("sni", asked_name_);
  }
}

void TlsLayer::write(std::string_view plain) {
  if (open_ && failure_.empty() && !plain.empty()) {
    SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
  }
}

void TlsLayer::finish() {
  if (open_ && failure_.empty()) {
    SSL_shutdown(ssl_);
  }
}

std::string TlsLayer::output() {
  BIO* out = SSL_get_wbio(ssl_);
  std::string records(BIO_ctrl_pending(out), '\0');
  if (!records.empty()) {
    BIO_read(out, records.data(), static_cast<int>(records.size()));
  }
  return records;
}

}  // namespace sluice::player
