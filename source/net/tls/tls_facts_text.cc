#include "net/tls/tls_facts_text.h"

#include "base/strings.h"

namespace sluice::net::tls {

namespace {

// The certificates that the peer sent, leaf first. A server's SSL_get_peer_cert_chain() leaves the leaf out.
std::vector<X509*> chain_of(SSL& ssl, X509& leaf) {
  std::vector<X509*> out{&leaf};
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(&ssl);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    X509* one = sk_X509_value(chain, i);
    if (i > 0 || X509_cmp(one, &leaf) != 0) {
      out.push_back(one);
    }
  }
  return out;
}

// The second certificate of the chain that was verified, or else of what the peer sent. Null: there is none.
X509* issuer_certificate(SSL& ssl, X509& leaf) {
  STACK_OF(X509)* verified = SSL_get0_verified_chain(&ssl);
  if (verified != nullptr && sk_X509_num(verified) > 1) {
    return sk_X509_value(verified, 1);
  }
  const std::vector<X509*> sent = chain_of(ssl, leaf);
  return sent.size() > 1 ? sent[1] : nullptr;
}

void add(std::string& list, std::string_view part) { append(list, list.empty() ? "" : ",", part); }

void read_peer(SSL& ssl, TlsFactsText& facts) {
  X509* leaf = SSL_get0_peer_certificate(&ssl);
  if (leaf == nullptr) {
    return;
  }
  facts.peer = std::make_unique<TlsFactsText::PeerTexts>();
  TlsFactsText::PeerTexts& out = *facts.peer;
  out.peer_subject = subject_of(*leaf);
  out.peer_issuer = issuer_of(*leaf);
  out.peer_serial = serial_of(*leaf);
  out.peer_fingerprint_256 = sha256_hex(*leaf);
  out.peer_fingerprint_1 = sha1_hex(*leaf);
  out.peer_certificate = url_encoded_pem(*leaf);
  for (const San& san : sans_of(*leaf)) {
    switch (san.type) {
      case SanType::kUri:
        add(out.peer_uri_san, san.text);
        out.peer_uris.push_back(san.text);
        break;
      case SanType::kDns:
        add(out.peer_dns_san, san.text);
        out.peer_dns_names.push_back(san.text);
        break;
      case SanType::kIp:
        add(out.peer_ip_san, san.text);
        break;
      case SanType::kEmail:
        add(out.peer_email_san, san.text);
        break;
      case SanType::kOther:
        add(out.peer_othername_san, san.text);
        break;
    }
  }
  if (X509* issuer = issuer_certificate(ssl, *leaf)) {
    out.issuer_serial = serial_of(*issuer);
    out.issuer_fingerprint_256 = sha256_hex(*issuer);
  }
  for (X509* one : chain_of(ssl, *leaf)) {
    add(out.chain_fingerprints_256, sha256_hex(*one));
    add(out.chain_fingerprints_1, sha1_hex(*one));
    add(out.chain_serials, serial_of(*one));
    out.peer_chain += url_encoded_pem(*one);
  }
  facts.peer_valid_from = valid_from(*leaf);
  facts.peer_valid_until = valid_until(*leaf);
  facts.peer_subject = out.peer_subject;
  facts.peer_issuer = out.peer_issuer;
  facts.peer_serial = out.peer_serial;
  facts.peer_fingerprint_256 = out.peer_fingerprint_256;
  facts.peer_fingerprint_1 = out.peer_fingerprint_1;
  facts.peer_issuer_serial = out.issuer_serial;
  facts.peer_issuer_fingerprint_256 = out.issuer_fingerprint_256;
  facts.peer_certificate = out.peer_certificate;
  facts.peer_chain = out.peer_chain;
  facts.peer_uri_san = out.peer_uri_san;
  facts.peer_dns_san = out.peer_dns_san;
  facts.peer_ip_san = out.peer_ip_san;
  facts.peer_email_san = out.peer_email_san;
  facts.peer_othername_san = out.peer_othername_san;
  facts.peer_uris = out.peer_uris;
  facts.peer_dns_names = out.peer_dns_names;
  facts.peer_chain_fingerprints_256 = out.chain_fingerprints_256;
  facts.peer_chain_fingerprints_1 = out.chain_fingerprints_1;
  facts.peer_chain_serials = out.chain_serials;
}

}  // namespace

std::shared_ptr<const TlsTexts> read_facts(SSL& ssl, std::shared_ptr<const Context> context, const TlsFacts& known) {
  auto facts_text = std::make_shared<TlsFactsText>();
  TlsTexts& facts = *facts_text;
  facts.peer_presented = known.peer_presented;
  facts.peer_validated = known.peer_validated;
  // Before both sides have agreed Envoy's library names this one.
  const bool agreed = SSL_get_current_cipher(&ssl) != nullptr;
  facts.version = agreed ? SSL_get_version(&ssl) : "TLSv1.2";
  facts.cipher = agreed ? SSL_get_cipher_name(&ssl) : "";
  facts.group = agreed ? group_of(ssl) : std::string_view();
  unsigned size = 0;
  // A session of TLS 1.3 is known by its ticket, and has no identifier.
  if (const SSL_SESSION* session = SSL_get0_session(&ssl); session != nullptr && SSL_version(&ssl) != TLS1_3_VERSION) {
    const unsigned char* id = SSL_SESSION_get_id(session, &size);
    facts_text->session_texts = to_hex(id, size);
  }
  if (const char* name = SSL_get_servername(&ssl, TLSEXT_NAMETYPE_host_name)) {
    facts_text->session_texts += name;
  }
  facts_text->session_texts.shrink_to_fit();
  const std::string_view both = facts_text->session_texts;
  facts.session_id = both.substr(0, size_t{2} * size);
  facts.server_name = both.substr(size_t{2} * size);
  if (const LocalFacts* local = context->local_facts(SSL_get_certificate(&ssl))) {
    facts.local_subject = local->subject;
    facts.local_uri_san = local->uri_san;
    facts.local_uris = local->uris;
    facts.local_dns_san = local->dns_san;
    facts.local_ip_san = local->ip_san;
    facts.local_email_san = local->email_san;
    facts.local_othername_san = local->othername_san;
  }
  read_peer(ssl, *facts_text);
  facts_text->context = std::move(context);
  return facts_text;
}

}  // namespace sluice::net::tls
