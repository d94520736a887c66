#include "net/tls/spiffe.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/strings.h"
#include "net/tls/certificate.h"

namespace sluice::net::tls {

std::string_view trust_domain_of(std::string_view uri) {
  constexpr std::string_view kScheme = "spiffe://";
  if (!uri.starts_with(kScheme)) {
    return {};
  }
  uri.remove_prefix(kScheme.size());
  const size_t slash = uri.find('/');
  return slash == std::string_view::npos ? std::string_view() : uri.substr(0, slash);
}

bool is_svid(const X509& leaf) {
  auto& certificate = const_cast<X509&>(leaf);  // OpenSSL caches what it reads
  constexpr uint32_t kSigns = X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN;
  // Without a key usage all of its bits are set: such a key may be for anything.
  return (X509_get_extension_flags(&certificate) & EXFLAG_CA) == 0 && (X509_get_key_usage(&certificate) & kSigns) == 0;
}

Result<TrustBundles> TrustBundles::make(std::span<const TrustDomain> domains) {
  TrustBundles out;
  for (const TrustDomain& domain : domains) {
    if (std::any_of(out.bundles_.begin(), out.bundles_.end(),
                    [&](const Bundle& other) { return other.domain == domain.name; })) {
      return Error{cat("the trust domain '", domain.name, "' has more than one trust_bundle")};
    }
    auto read = read_certificates(domain.bundle);
    if (!read) {
      return Error{
          cat("failed to load the trust bundle of '", domain.name, "' from ", domain.path, ": ", read.error())};
    }
    Bundle bundle{
        domain.name, std::move(*read), {}, {sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }}};
    for (const X509Ptr& one : bundle.certificates) {
      sk_X509_push(bundle.anchors.get(), one.get());
    }
    const BioPtr in = reader_of(domain.bundle);
    while (CrlPtr crl{PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)}) {
      bundle.crls.push_back(std::move(crl));
    }
    ERR_clear_error();
    out.bundles_.push_back(std::move(bundle));
  }
  return out;
}

std::vector<const X509*> TrustBundles::certificates() const {
  std::vector<const X509*> out;
  for (const Bundle& bundle : bundles_) {
    for (const X509Ptr& one : bundle.certificates) {
      out.push_back(one.get());
    }
  }
  return out;
}

void TrustBundles::add_crls(X509_STORE& store) const {
  for (const Bundle& bundle : bundles_) {
    for (const CrlPtr& crl : bundle.crls) {
      X509_STORE_add_crl(&store, crl.get());
    }
  }
}

std::string_view TrustBundles::use(X509_STORE_CTX& chain) const {
  const X509& leaf = *X509_STORE_CTX_get0_cert(&chain);
  if (!is_svid(leaf)) {
    return "cert precheck";
  }
  constexpr std::string_view kNoBundle = "no trust bundle store";
  const std::vector<San> sans = sans_of(leaf);
  const auto uri = std::find_if(sans.begin(), sans.end(), [](const San& san) { return san.type == SanType::kUri; });
  if (uri == sans.end() || uri->text.find('\0') != std::string::npos) {
    return kNoBundle;
  }
  const std::string_view domain = trust_domain_of(uri->text);
  const auto bundle =
      std::find_if(bundles_.begin(), bundles_.end(), [&](const Bundle& one) { return one.domain == domain; });
  if (bundle == bundles_.end()) {
    return kNoBundle;
  }
  X509_STORE_CTX_set0_trusted_stack(&chain, bundle->anchors.get());
  if (!bundle->crls.empty()) {
    X509_STORE_CTX_set_flags(&chain, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  return {};
}

}  // namespace sluice::net::tls
