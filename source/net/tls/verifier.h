// Verifier: decides whether a peer's certificate is good: the chain of trust, names, pins.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls/certificate.h"
#include "net/tls/openssl.h"
#include "net/tls/spiffe.h"
#include "net/tls/tls_options.h"

namespace sluice::net::tls {

// One matcher against one certificate's names, each compared with those of its own type only. A name with a NUL byte
// inside never matches; an exact DNS matcher also matches a wildcard of the certificate, for one label.
bool san_matches(const SanMatcher& matcher, const San& san);
// "*.a.test" (a name in a certificate) stands for "x.a.test", never for more than one label.
bool dns_name_matches(std::string_view pattern, std::string_view name);

enum class Refusal : uint8_t { kNone, kError, kSan, kHash };  // which counter

struct Verdict {
  Refusal refusal = Refusal::kNone;
  std::string details;     // "verify cert failed: ..."
  bool accepted = true;    // goes on in spite of a refusal (ACCEPT_UNTRUSTED)
  bool validated = false;  // every check that is configured passed, and there was one
};

// Part of a context. Immutable. Thread: any.
class Verifier {
 public:
  static Result<std::unique_ptr<const Verifier>> make(const ValidationOptions& options);

  // Whether it looks at certificates at all, and at chains.
  bool checks() const { return has_ca() || checks_leaf(); }
  bool has_ca() const { return !ca_.empty() || options_.system_roots || spiffe(); }
  // Each trust domain has anchors of its own; a peer without a certificate is in none.
  bool spiffe() const { return !bundles_.empty(); }
  bool checks_leaf() const { return !options_.sans.empty() || !options_.hashes.empty() || !options_.spki.empty(); }
  const ValidationOptions& options() const { return options_; }
  const std::vector<X509Ptr>& ca() const { return ca_; }
  const TrustBundles& bundles() const { return bundles_; }

  // Gives the context the trust anchors, and for a server the names of the CAs that it asks for.
  Result<void> configure(SSL_CTX& context, bool server) const;
  // In OpenSSL's verification callback; `names`: see TransportWishes::verify_names. Sets the error that becomes the
  // alert.
  Verdict verify(X509_STORE_CTX& chain, WallTime now, std::span<const std::string> names) const;

 private:
  explicit Verifier(const ValidationOptions& options) : options_(options) {}
  bool verify_leaf(const X509& leaf, std::span<const std::string> names, Verdict& verdict) const;

  const ValidationOptions options_;
  std::vector<X509Ptr> ca_;
  TrustBundles bundles_;
};

// A server name out of auto_san_validation or SNI against a certificate, as a DNS name or an address.
bool certificate_has_name(const X509& certificate, std::string_view name);

}  // namespace sluice::net::tls
