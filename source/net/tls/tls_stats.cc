#include "net/tls/tls_stats.h"

#include <openssl/objects.h>

#include "base/strings.h"

namespace sluice::net::tls {

using stats::TlsStat;

namespace {

// TLS's name of what the peer signed with; empty: it did not, or with something unusual.
std::string signature_name(SSL& ssl) {
  int digest = NID_undef, type = NID_undef;
  if (SSL_get_peer_signature_type_nid(&ssl, &type) != 1 || SSL_get_peer_signature_nid(&ssl, &digest) != 1) {
    return {};
  }
  const int bits = digest == NID_sha1 ? 1 : digest == NID_sha256 ? 256 : digest == NID_sha384 ? 384 : 512;
  switch (type) {
    case EVP_PKEY_ED25519:
      return "ed25519";
    case EVP_PKEY_EC:
      return bits == 1 ? "ecdsa_sha1" : cat("ecdsa_secp", bits == 512 ? 521 : bits, "r1_sha", bits);
    case EVP_PKEY_RSA_PSS:
      return cat("rsa_pss_rsae_sha", bits);
    case EVP_PKEY_RSA:
      return cat("rsa_pkcs1_sha", bits);
    default:
      return {};
  }
}

}  // namespace

TlsStats::TlsStats(stats::Registry& registry, stats::WorkerCells& cells, std::string_view prefix,
                   std::string_view factory)
    : registry_(registry), cells_(cells), prefix_(prefix) {
  id_ = registry.add_block<TlsStat>(cat(prefix, "ssl."));
  factory_id_ = registry.add_block<stats::TlsFactoryStat>(cat(prefix, factory, "."));
  block_ = cells.block<TlsStat>(id_);
  factory_ = cells.block<stats::TlsFactoryStat>(factory_id_);
}

TlsStats::~TlsStats() {
  registry_.release_block(id_);
  registry_.release_block(factory_id_);
}

void TlsStats::count(std::string_view kind, std::string_view name) {
  const std::string key = cat(kind, ".", name);
  auto found = named_.find(key);
  if (found == named_.end()) {
    found = named_.emplace(key, cells_.counter(key, id_)).first;
  }
  found->second.inc();
}

void TlsStats::count_handshake(SSL& ssl) {
  block_.inc(TlsStat::kHandshake);
  if (SSL_session_reused(&ssl) == 1) {
    block_.inc(TlsStat::kSessionReused);
  }
  count("ciphers", SSL_get_cipher_name(&ssl));
  count("versions", SSL_get_version(&ssl));
  if (const std::string_view group = group_of(ssl); !group.empty()) {
    count("curves", group);
  }
  if (const std::string signature = signature_name(ssl); !signature.empty()) {
    count("sigalgs", signature);
  }
  if (SSL_get0_peer_certificate(&ssl) == nullptr) {
    block_.inc(TlsStat::kNoCertificate);
  }
}

}  // namespace sluice::net::tls
