// SPIFFE: a peer is trusted by the certificates of its own trust domain, and by no other's
// (envoy.tls.cert_validator.spiffe; https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md).
#pragma once

#include <openssl/x509_vfy.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls/openssl.h"
#include "net/tls/tls_options.h"

namespace sluice::net::tls {

// "td" of "spiffe://td/path"; empty when it is no such name.
std::string_view trust_domain_of(std::string_view uri);
// May be the leaf of a peer at all: it is no CA, and says that its key does not sign certificates or revocations.
bool is_svid(const X509& leaf);

// The bundles of the trust domains. Part of a Verifier. Immutable. Thread: any.
class TrustBundles {
 public:
  static Result<TrustBundles> make(std::span<const TrustDomain> domains);

  bool empty() const { return bundles_.empty(); }
  // All certificates, in the order of the configuration.
  std::vector<const X509*> certificates() const;
  // Revocations are kept where OpenSSL looks for them.
  void add_crls(X509_STORE& store) const;
  // Lets `chain` end in the bundle of its leaf's domain. Otherwise says why not, in Envoy's words.
  std::string_view use(X509_STORE_CTX& chain) const;

 private:
  struct Bundle {
    std::string domain;
    std::vector<X509Ptr> certificates;
    std::vector<CrlPtr> crls;
    std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> anchors;  // views of `certificates`
  };
  std::vector<Bundle> bundles_;
};

}  // namespace sluice::net::tls
