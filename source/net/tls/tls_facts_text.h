// The texts that a connection's TlsTexts view.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/tls/context.h"
#include "net/tls_facts.h"

namespace sluice::net::tls {

// Belongs to its transport. Thread: its connection's.
struct TlsFactsText : TlsTexts {
  // Of the members of TlsTexts with these names.
  struct PeerTexts {
    std::string peer_subject, peer_issuer, peer_serial, peer_fingerprint_256, peer_fingerprint_1, peer_certificate;
    std::string issuer_serial, issuer_fingerprint_256;
    std::string peer_chain, peer_uri_san, peer_dns_san, peer_ip_san, peer_email_san, peer_othername_san;
    std::string chain_fingerprints_256, chain_fingerprints_1, chain_serials;
    std::vector<std::string> peer_uris, peer_dns_names;
  };
  std::string session_texts;               // session_id, then server_name
  std::unique_ptr<PeerTexts> peer;         // null: it has no certificate, as most clients
  std::shared_ptr<const Context> context;  // has what is said of our own certificate
};

// Reads a finished handshake of which `known` is known.
std::shared_ptr<const TlsTexts> read_facts(SSL& ssl, std::shared_ptr<const Context> context, const TlsFacts& known);

}  // namespace sluice::net::tls
