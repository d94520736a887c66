// TlsFacts: what TLS knows of one connection, for logs, headers and matchers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace sluice::net {

struct TlsTexts;

// Belongs to its transport. Thread: its connection's.
struct TlsFacts {
  virtual ~TlsFacts() = default;
  // Made when they are asked for first: a connection of which nobody asks holds none.
  virtual const TlsTexts& texts() const = 0;

  bool peer_presented = false;  // the peer showed a certificate
  bool peer_validated = false;  // ... and it passed every check of the validation context
};

// The session and both certificates. Lists of names are joined with ','; empty texts are unset. Who keeps them longer
// than the connection takes a share; they are facts themselves. Thread: its connection's.
struct TlsTexts : TlsFacts, std::enable_shared_from_this<TlsTexts> {
  const TlsTexts& texts() const override { return *this; }

  std::string_view version, cipher, session_id;
  std::string_view group;        // of the key exchange: "X25519", "P-256" ...
  std::string_view server_name;  // the client's SNI, as it was sent
  std::string_view peer_subject, peer_issuer, peer_serial, peer_fingerprint_256, peer_fingerprint_1;
  std::string_view peer_issuer_serial, peer_issuer_fingerprint_256;  // of the certificate that signed the peer's
  std::string_view peer_certificate;                                 // URL-encoded PEM
  std::string_view peer_chain;                                       // the same of the whole chain, leaf first
  std::string_view peer_uri_san, peer_dns_san, peer_ip_san, peer_email_san, peer_othername_san;
  std::string_view peer_chain_fingerprints_256, peer_chain_fingerprints_1, peer_chain_serials;
  std::string_view local_subject, local_uri_san, local_dns_san, local_ip_san, local_email_san, local_othername_san;
  std::span<const std::string> peer_uris, peer_dns_names, local_uris;  // one by one
  std::string_view ja3, ja4;
  WallTime peer_valid_from, peer_valid_until;  // 0: no certificate
};

}  // namespace sluice::net
