// What a TLS context is made of: plain data that the compilers of DownstreamTlsContext and UpstreamTlsContext fill.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "event/files.h"
#include "match/string_matcher.h"
#include "net/address.h"

namespace sluice::net::tls {

enum class Version : uint8_t { kAuto, kTls10, kTls11, kTls12, kTls13 };

struct Parameters {
  Version min = Version::kAuto, max = Version::kAuto;
  std::vector<std::string> ciphers, curves, signature_algorithms;  // empty: Envoy's defaults
  std::string suites;                                              // of TLS 1.3; empty: all

  // FIPS as BoringSSL has it under the name FIPS_202205: the TLS that NIST SP 800-52 revision 2 allows.
  static Parameters fips_202205();
};

// PEM texts, and where they came from for pages and errors ("<inline>" when not from a file).
struct CertificateSource {
  std::string chain, chain_path;
  std::string key, key_path;
  std::string password;
  std::string pkcs12;  // in place of chain and key
  std::string name;    // in the names of stats; empty: none
  std::string ocsp;    // DER of the response to staple; empty: none
};

// What becomes of a client that asks for a staple when there is none that is valid.
enum class StaplePolicy : uint8_t {
  kLenient,  // it gets none
  kStrict,   // the same, unless there is one that is old: the handshake fails
  kMust,     // the handshake fails
};

enum class SanType : uint8_t { kEmail, kDns, kUri, kIp, kOther };
std::string_view name_of(SanType type);

struct SanMatcher {
  SanType type;
  match::StringMatcher matcher;
  std::string oid;  // kOther only
};

using Digest = std::array<unsigned char, 32>;  // SHA-256

// Of the SPIFFE validator: who issues the certificates of this domain. PEM.
struct TrustDomain {
  std::string name;
  std::string bundle, path;
};

struct ValidationOptions {
  std::string trusted_ca, ca_path;
  bool system_roots = false;
  std::vector<TrustDomain> trust_domains;  // not empty: these decide, in place of `trusted_ca`
  std::string crl, crl_path;
  std::vector<SanMatcher> sans;  // one of them must match
  std::vector<Digest> hashes;    // of the certificate; one of these or of `spki` must match
  std::vector<Digest> spki;      // of its public key
  bool allow_expired = false;
  bool accept_untrusted = false;
  bool only_leaf_crl = false;
  bool suppress_ca_list = false;
  uint32_t max_depth = 100;
};

struct KeyLogOptions {
  std::shared_ptr<event::AppendFile> file;
  std::vector<Cidr> local, remote;  // empty: all
};

struct CommonOptions {
  Parameters parameters;
  std::vector<CertificateSource> certificates;
  std::optional<ValidationOptions> validation;
  std::vector<std::string> alpn;
  std::optional<KeyLogOptions> key_log;
};

struct ServerOptions : CommonOptions {
  bool require_client_certificate = false;
  bool stateless_resumption = true;  // tickets
  bool stateful_resumption = true;   // the session cache of TLS 1.2
  bool full_scan_on_sni_mismatch = false;
  bool prefer_client_ciphers = false;
  StaplePolicy staple_policy = StaplePolicy::kLenient;
  std::vector<std::string> ticket_keys;  // of 80 bytes; the first one encrypts; empty: made up at the start
  Duration session_timeout{0};           // 0: OpenSSL's
};

struct ClientOptions : CommonOptions {
  std::string sni;
  bool auto_host_sni = false;            // the host's name as SNI
  bool allow_renegotiation = false;      // TLS 1.2; the server must keep its certificate
  bool auto_sni_san_validation = false;  // the name that was sent as SNI must stand in the certificate
  uint32_t max_session_keys = 1;
};

}  // namespace sluice::net::tls
