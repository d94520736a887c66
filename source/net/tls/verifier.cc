#include "net/tls/verifier.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "base/strings.h"

namespace sluice::net::tls {

namespace {

// No alert of its own belongs to it, so that the peer hears certificate_unknown, as from Envoy.
constexpr int kRefusedByUs = X509_V_ERR_SUBTREE_MINMAX;

int forgive_dates(int ok, X509_STORE_CTX* chain) {
  if (ok == 0) {
    const int error = X509_STORE_CTX_get_error(chain);
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID) {
      X509_STORE_CTX_set_error(chain, X509_V_OK);
      return 1;
    }
  }
  return ok;
}

// BoringSSL's words where they differ from OpenSSL's.
std::string error_words(int error) {
  switch (error) {
    case X509_V_ERR_CERT_REVOKED:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return cat("certificate revocation check against provided CRLs failed: ", X509_verify_cert_error_string(error));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "self signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "self signed certificate in certificate chain";
    case X509_V_ERR_INVALID_CA:
      return "invalid CA certificate";
    case X509_V_ERR_INVALID_PURPOSE:
      return "unsupported certificate purpose";
    default:
      return X509_verify_cert_error_string(error);
  }
}

bool holds(const std::vector<Digest>& list, const Digest& digest) {
  return std::find(list.begin(), list.end(), digest) != list.end();
}

std::string joined_sans(const std::vector<San>& sans) {
  std::string out;
  for (const San& san : sans) {
    append(out, out.empty() ? "" : ", ", san.text);
  }
  return out;
}

std::string joined(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) {
    append(out, out.empty() ? "" : ", ", name);
  }
  return out;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

bool dns_name_matches(std::string_view pattern, std::string_view name) {
  if (equal_ignore_case(pattern, name)) {
    return true;
  }
  if (!pattern.starts_with("*.") || pattern.size() < 3) {
    return false;
  }
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || !equal_ignore_case(pattern.substr(1), name.substr(dot))) {
    return false;
  }
  return std::all_of(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(dot), is_host_character);
}

bool san_matches(const SanMatcher& matcher, const San& san) {
  if (matcher.type != san.type || san.text.find('\0') != std::string::npos) {
    return false;
  }
  if (matcher.type == SanType::kOther && matcher.oid != san.oid) {
    return false;
  }
  if (matcher.type == SanType::kDns && matcher.matcher.kind() == match::StringMatcher::Kind::kExact) {
    return dns_name_matches(san.text, matcher.matcher.pattern());
  }
  return matcher.matcher.matches(san.text);
}

bool certificate_has_name(const X509& certificate, std::string_view name) {
  for (const San& san : sans_of(certificate)) {
    if (san.text.find('\0') != std::string::npos) {
      continue;
    }
    if (san.type == SanType::kDns ? dns_name_matches(san.text, name)
                                  : (san.type == SanType::kUri || san.type == SanType::kIp) && san.text == name) {
      return true;
    }
  }
  return false;
}

Result<std::unique_ptr<const Verifier>> Verifier::make(const ValidationOptions& options) {
  std::unique_ptr<Verifier> out(new Verifier(options));
  if (!options.trust_domains.empty()) {
    auto bundles = TrustBundles::make(options.trust_domains);
    if (!bundles) {
      return Error{bundles.error()};
    }
    out->bundles_ = std::move(*bundles);
  } else if (!options.trusted_ca.empty()) {
    auto ca = read_certificates(options.trusted_ca);
    if (!ca) {
      return Error{cat("failed to load trusted CA certificates from ", options.ca_path, ": ", ca.error())};
    }
    out->ca_ = std::move(*ca);
  }
  if (!options.sans.empty() && !out->has_ca()) {
    return Error{"names are matched (match_typed_subject_alt_names) without a trusted_ca: nobody would vouch for them"};
  }
  if (!options.crl.empty() && !out->has_ca()) {
    return Error{cat("failed to load CRL from ", options.crl_path, " without trusted CA")};
  }
  return std::unique_ptr<const Verifier>(std::move(out));
}

Result<void> Verifier::configure(SSL_CTX& context, bool server) const {
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  if (options_.system_roots && X509_STORE_set_default_paths(store) != 1) {
    return Error{cat("cannot load the system's root certificates: ", take_error_words())};
  }
  for (const X509Ptr& one : ca_) {
    X509_STORE_add_cert(store, one.get());
    if (server && !options_.suppress_ca_list) {
      SSL_CTX_add_client_CA(&context, one.get());
    }
  }
  if (server && !options_.suppress_ca_list) {
    for (const X509* one : bundles_.certificates()) {
      SSL_CTX_add_client_CA(&context, const_cast<X509*>(one));  // which takes the name alone
    }
  }
  bundles_.add_crls(*store);
  // An anchor need not be self-signed: an intermediate CA is trusted for what is below it.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (!options_.crl.empty()) {
    const BioPtr in = reader_of(options_.crl);
    bool any = false;
    while (CrlPtr crl{PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)}) {
      X509_STORE_add_crl(store, crl.get());
      any = true;
    }
    ERR_clear_error();
    if (any) {
      X509_STORE_set_flags(
          store, options_.only_leaf_crl ? X509_V_FLAG_CRL_CHECK : X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
  }
  ERR_clear_error();
  SSL_CTX_set_verify_depth(&context, static_cast<int>(options_.max_depth));
  return {};
}

bool Verifier::verify_leaf(const X509& leaf, std::span<const std::string> names, Verdict& verdict) const {
  if (!names.empty() && std::none_of(names.begin(), names.end(),
                                     [&](const std::string& name) { return certificate_has_name(leaf, name); })) {
    verdict.refusal = Refusal::kSan;
    verdict.details = cat("verify cert failed: verify SAN list, expected SANs: [", joined(names),
                          "], certificate SANs: [", joined_sans(sans_of(leaf)), "]");
    return false;
  }
  if (!options_.sans.empty()) {
    const std::vector<San> sans = sans_of(leaf);
    const bool matched = std::any_of(options_.sans.begin(), options_.sans.end(), [&](const SanMatcher& matcher) {
      return std::any_of(sans.begin(), sans.end(), [&](const San& san) { return san_matches(matcher, san); });
    });
    if (!matched) {
      verdict.refusal = Refusal::kSan;
      verdict.details = spiffe()
                            ? "verify cert failed: SAN match"
                            : cat("verify cert failed: SAN matcher, certificate SANs are [", joined_sans(sans), "]");
      return false;
    }
  }
  if ((!options_.hashes.empty() || !options_.spki.empty()) && !holds(options_.hashes, sha256_of(leaf)) &&
      !holds(options_.spki, spki_sha256_of(leaf))) {
    verdict.refusal = Refusal::kHash;
    verdict.details = "verify cert failed: cert hash and spki";
    return false;
  }
  return true;
}

Verdict Verifier::verify(X509_STORE_CTX& chain, WallTime now, std::span<const std::string> names) const {
  Verdict verdict;
  if (spiffe()) {
    if (const std::string_view why = bundles_.use(chain); !why.empty()) {
      X509_STORE_CTX_set_error(&chain, kRefusedByUs);
      return {.refusal = Refusal::kError, .details = cat("verify cert failed: ", why), .accepted = false};
    }
  }
  if (has_ca()) {
    X509_STORE_CTX_set_time(&chain, 0, static_cast<time_t>(now.us / 1'000'000));
    if (options_.allow_expired) {
      X509_STORE_CTX_set_verify_cb(&chain, forgive_dates);
    }
    if (X509_verify_cert(&chain) != 1) {
      const int error = X509_STORE_CTX_get_error(&chain);
      verdict.refusal = Refusal::kError;
      verdict.details = cat("verify cert failed: X509_verify_cert: certificate verification error at depth ",
                            X509_STORE_CTX_get_error_depth(&chain), ": ", error_words(error));
      verdict.accepted = options_.accept_untrusted;
      return verdict;
    }
  }
  const X509* leaf = X509_STORE_CTX_get0_cert(&chain);
  if (!verify_leaf(*leaf, names, verdict)) {
    X509_STORE_CTX_set_error(&chain, kRefusedByUs);
    verdict.accepted = options_.accept_untrusted;
    return verdict;
  }
  X509_STORE_CTX_set_error(&chain, X509_V_OK);
  verdict.validated = checks() || !names.empty();
  return verdict;
}

}  // namespace sluice::net::tls
