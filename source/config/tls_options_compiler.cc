#include "config/tls_options_compiler.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

#include "base/strings.h"
#include "config/access_log_compiler.h"
#include "config/core_compiler.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config.pb.h"
#include "net/tls/groups.h"
#include "proxy/access_log/log_files.h"

namespace sluice::config {
namespace {

namespace core = envoy::config::core::v3;
namespace tls3 = envoy::extensions::transport_sockets::tls::v3;
using net::tls::CommonOptions;
using net::tls::Digest;
using net::tls::SanType;

net::tls::Version compile_version(tls3::TlsParameters::TlsProtocol version) {
  switch (version) {
    case tls3::TlsParameters::TLSv1_0:
      return net::tls::Version::kTls10;
    case tls3::TlsParameters::TLSv1_1:
      return net::tls::Version::kTls11;
    case tls3::TlsParameters::TLSv1_2:
      return net::tls::Version::kTls12;
    case tls3::TlsParameters::TLSv1_3:
      return net::tls::Version::kTls13;
    default:
      return net::tls::Version::kAuto;
  }
}

net::tls::StaplePolicy compile_policy(tls3::DownstreamTlsContext::OcspStaplePolicy policy) {
  switch (policy) {
    case tls3::DownstreamTlsContext::STRICT_STAPLING:
      return net::tls::StaplePolicy::kStrict;
    case tls3::DownstreamTlsContext::MUST_STAPLE:
      return net::tls::StaplePolicy::kMust;
    default:
      return net::tls::StaplePolicy::kLenient;
  }
}

// Peers agree on what both have, so a list may name key exchanges that this OpenSSL lacks, beside others.
std::vector<std::string> compile_curves(const tls3::TlsParameters& proto, CompileScope& scope) {
  constexpr int kField = tls3::TlsParameters::kEcdhCurvesFieldNumber;
  const std::vector<std::string> names(proto.ecdh_curves().begin(), proto.ecdh_curves().end());
  Result<net::tls::Groups> groups = net::tls::read_groups(names);
  if (!groups) {
    scope.error(proto, kField, groups.error());
    return {};
  }
  for (const std::string& name : groups->lacking) {
    std::string text = cat("not supported yet: the key exchange ", name, ", which this OpenSSL lacks");
    if (groups->here.empty()) {
      scope.error(proto, kField, cat(text, "; no other one is named"));
    } else {
      scope.findings().note(
          {ConfigNote::Kind::UnknownField, scope.map().error(proto, kField, cat(text, "; the others are offered"))});
    }
  }
  return std::move(groups->here);
}

net::tls::Parameters compile_parameters(const tls3::TlsParameters& proto, CompileScope& scope) {
  using P = tls3::TlsParameters;
  scope.only(proto, {P::kTlsMinimumProtocolVersionFieldNumber, P::kTlsMaximumProtocolVersionFieldNumber,
                     P::kCipherSuitesFieldNumber, P::kEcdhCurvesFieldNumber, P::kSignatureAlgorithmsFieldNumber,
                     P::kCompliancePoliciesFieldNumber});
  // It takes the place of all that stands beside it.
  for (int i = 0; i < proto.compliance_policies_size(); ++i) {
    if (proto.compliance_policies(i) == P::FIPS_202205) return net::tls::Parameters::fips_202205();
    scope.error(proto, P::kCompliancePoliciesFieldNumber, "is not supported yet: only FIPS_202205 is", i);
  }
  net::tls::Parameters out;
  out.min = compile_version(proto.tls_minimum_protocol_version());
  out.max = compile_version(proto.tls_maximum_protocol_version());
  out.ciphers.assign(proto.cipher_suites().begin(), proto.cipher_suites().end());
  out.curves = compile_curves(proto, scope);
  out.signature_algorithms.assign(proto.signature_algorithms().begin(), proto.signature_algorithms().end());
  return out;
}

std::string path_of(const core::DataSource& source) {
  return source.has_filename() ? source.filename() : std::string("<inline>");
}

// Hex with or without colons between the bytes.
std::optional<Digest> hex_digest(std::string_view text) {
  Digest out{};
  size_t digits = 0;
  const bool colons = text.size() == 95;
  if (text.size() != 64 && !colons) return std::nullopt;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (colons && i % 3 == 2) {
      if (c != ':') return std::nullopt;
      continue;
    }
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const int value = lower >= '0' && lower <= '9' ? lower - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    if (value < 0) return std::nullopt;
    out[digits / 2] = static_cast<unsigned char>(out[digits / 2] << 4 | value);
    ++digits;
  }
  return out;
}

std::optional<Digest> base64_digest(std::string_view text) {
  if (text.size() != 44 || text[43] != '=') return std::nullopt;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Digest out{};
  uint32_t bits = 0;
  int count = 0;
  size_t at = 0;
  for (const char c : text.substr(0, 43)) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      if (at == out.size()) return std::nullopt;
      out[at++] = static_cast<unsigned char>(bits >> count & 0xff);
    }
  }
  return at == out.size() ? std::optional(out) : std::nullopt;
}

// Numbers with dots between them, the first of them 0, 1 or 2.
bool is_oid(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() > 1 && parts[0].size() == 1 && parts[0] <= "2" &&
         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
         });
}

std::optional<net::tls::SanMatcher> compile_san(const tls3::SubjectAltNameMatcher& proto, CompileScope& scope) {
  using S = tls3::SubjectAltNameMatcher;
  constexpr std::pair<S::SanType, SanType> kTypes[] = {{S::EMAIL, SanType::kEmail},
                                                       {S::DNS, SanType::kDns},
                                                       {S::URI, SanType::kUri},
                                                       {S::IP_ADDRESS, SanType::kIp},
                                                       {S::OTHER_NAME, SanType::kOther}};
  for (const auto& [theirs, ours] : kTypes) {
    if (theirs != proto.san_type()) continue;
    if (ours == SanType::kOther && proto.oid().empty()) {
      scope.error(proto, S::kOidFieldNumber, "is needed for the type OTHER_NAME");
      return std::nullopt;
    }
    if (ours == SanType::kOther && !is_oid(proto.oid())) {
      scope.error(proto, S::kOidFieldNumber,
                  cat("'", proto.oid(), "' is no object identifier, as 1.3.6.1.4.1.311.20.2.3 is"));
      return std::nullopt;
    }
    return net::tls::SanMatcher{ours, compile_string_matcher(proto.matcher(), scope), proto.oid()};
  }
  return std::nullopt;  // validation has told
}

// As in Envoy such a one is none, whatever else it says.
bool holds_nothing(const tls3::TlsCertificate& proto) {
  return !proto.has_certificate_chain() && !proto.has_private_key() && !proto.has_pkcs12();
}

// Collects one context; `complete` tells whether every secret was there.
class Compiler {
 public:
  Compiler(SecretLookup& secrets, CompileScope& scope) : secrets_(secrets), scope_(scope) {}

  bool complete() const { return complete_; }

  void common(const tls3::CommonTlsContext& proto, CommonOptions& out) {
    using C = tls3::CommonTlsContext;
    scope_.only(
        proto, {C::kTlsParamsFieldNumber, C::kTlsCertificatesFieldNumber, C::kTlsCertificateSdsSecretConfigsFieldNumber,
                C::kValidationContextFieldNumber, C::kValidationContextSdsSecretConfigFieldNumber,
                C::kCombinedValidationContextFieldNumber, C::kAlpnProtocolsFieldNumber, C::kKeyLogFieldNumber});
    out.parameters = compile_parameters(proto.tls_params(), scope_);
    out.alpn.assign(proto.alpn_protocols().begin(), proto.alpn_protocols().end());
    std::erase(out.alpn, "");           // Envoy takes an empty name, and offers nothing for it
    constexpr size_t kMaxList = 65535;  // with a byte before each name
    const size_t list = std::accumulate(out.alpn.begin(), out.alpn.end(), size_t{0},
                                        [](size_t sum, const std::string& name) { return sum + 1 + name.size(); });
    if (list > kMaxList)
      scope_.error(proto, C::kAlpnProtocolsFieldNumber, cat("takes ", list, " bytes; at most 65535"));
    if (!proto.tls_certificates().empty() && !proto.tls_certificate_sds_secret_configs().empty()) {
      scope_.error(proto, C::kTlsCertificateSdsSecretConfigsFieldNumber,
                   "certificates come from SDS or stand here, not both");
    }
    for (const auto& certificate : proto.tls_certificates()) this->certificate(certificate, {}, out);
    for (const auto& reference : proto.tls_certificate_sds_secret_configs()) {
      if (const tls3::Secret* secret = find(reference, tls3::Secret::kTlsCertificate)) {
        if (secret->has_tls_certificate()) {
          certificate(secret->tls_certificate(), reference.name(), out);
        } else {
          scope_.error(reference, tls3::SdsSecretConfig::kNameFieldNumber,
                       "is a secret of another kind: not a certificate");
        }
      }
    }
    validation(proto, out);
    if (proto.has_key_log()) key_log(proto.key_log(), out);
  }

  const tls3::Secret* find(const tls3::SdsSecretConfig& reference, tls3::Secret::TypeCase kind) {
    const tls3::Secret* secret = secrets_.find(reference, kind);
    if (secret == nullptr) complete_ = false;
    return secret;
  }

 private:
  void certificate(const tls3::TlsCertificate& proto, const std::string& name, CommonOptions& out) {
    using T = tls3::TlsCertificate;
    // watched_directory says when a secret of SDS is read again; signed_certificate_timestamp is read by nobody.
    scope_.only(proto, {T::kCertificateChainFieldNumber, T::kPrivateKeyFieldNumber, T::kPkcs12FieldNumber,
                        T::kPasswordFieldNumber, T::kWatchedDirectoryFieldNumber,
                        T::kSignedCertificateTimestampFieldNumber, T::kOcspStapleFieldNumber});
    if (name.empty() && holds_nothing(proto)) return;
    net::tls::CertificateSource source;
    source.name = name;
    if (proto.has_password()) source.password = text(proto.password());
    if (proto.ocsp_staple().has_inline_string()) {
      scope_.error(proto, T::kOcspStapleFieldNumber, "is no text: give a filename or inline_bytes");
    } else if (proto.has_ocsp_staple()) {
      source.ocsp = text(proto.ocsp_staple());
    }
    if (proto.has_pkcs12()) {
      if (proto.has_certificate_chain() || proto.has_private_key()) {
        scope_.error(proto, T::kPkcs12FieldNumber, "stands for certificate_chain and private_key: give it or those");
      }
      source.pkcs12 = text(proto.pkcs12());
      source.chain_path = source.key_path = path_of(proto.pkcs12());
    } else {
      if (!proto.has_certificate_chain() || !proto.has_private_key()) {
        scope_.error(proto, "needs a certificate_chain and a private_key");
        return;
      }
      source.chain = text(proto.certificate_chain());
      source.chain_path = path_of(proto.certificate_chain());
      source.key = text(proto.private_key());
      source.key_path = path_of(proto.private_key());
    }
    out.certificates.push_back(std::move(source));
  }

  void validation(const tls3::CommonTlsContext& proto, CommonOptions& out) {
    using C = tls3::CommonTlsContext;
    switch (proto.validation_context_type_case()) {
      case C::kValidationContext:
        validation_context(proto.validation_context(), out);
        break;
      case C::kValidationContextSdsSecretConfig:
        if (const auto* secret = find_validation(proto.validation_context_sds_secret_config())) {
          validation_context(secret->validation_context(), out);
        }
        break;
      case C::kCombinedValidationContext: {
        const auto& combined = proto.combined_validation_context();
        using Combined = C::CombinedCertificateValidationContext;
        scope_.only(combined, {Combined::kDefaultValidationContextFieldNumber,
                               Combined::kValidationContextSdsSecretConfigFieldNumber});
        if (const auto* secret = find_validation(combined.validation_context_sds_secret_config())) {
          // As Envoy has it: what SDS sends is merged over what stands here.
          tls3::CertificateValidationContext merged = combined.default_validation_context();
          merged.MergeFrom(secret->validation_context());
          validation_context(merged, out);
        }
        break;
      }
      default:
        break;
    }
  }

  const tls3::Secret* find_validation(const tls3::SdsSecretConfig& reference) {
    const tls3::Secret* secret = find(reference, tls3::Secret::kValidationContext);
    if (secret != nullptr && !secret->has_validation_context()) {
      scope_.error(reference, tls3::SdsSecretConfig::kNameFieldNumber,
                   "is a secret of another kind: not a validation context");
      return nullptr;
    }
    return secret;
  }

  void validation_context(const tls3::CertificateValidationContext& proto, CommonOptions& out) {
    using V = tls3::CertificateValidationContext;
    if (proto.has_custom_validator_config()) {
      custom_validator(proto, out);
      return;
    }
    scope_.only(proto, {V::kTrustedCaFieldNumber, V::kSystemRootCertsFieldNumber, V::kWatchedDirectoryFieldNumber,
                        V::kVerifyCertificateSpkiFieldNumber, V::kVerifyCertificateHashFieldNumber,
                        V::kMatchTypedSubjectAltNamesFieldNumber, V::kMatchSubjectAltNamesFieldNumber,
                        V::kCrlFieldNumber, V::kAllowExpiredCertificateFieldNumber,
                        V::kTrustChainVerificationFieldNumber, V::kOnlyVerifyLeafCertCrlFieldNumber,
                        V::kMaxVerifyDepthFieldNumber, V::kSuppressClientCaListFieldNumber});
    net::tls::ValidationOptions options;
    if (proto.has_trusted_ca()) {
      options.trusted_ca = text(proto.trusted_ca());
      if (proto.trusted_ca().has_inline_string() && options.trusted_ca.empty()) {
        scope_.error(proto, V::kTrustedCaFieldNumber, "must not be empty");
      }
      options.ca_path = path_of(proto.trusted_ca());
    }
    options.system_roots = proto.has_system_root_certs();
    if (proto.has_crl()) {
      options.crl = text(proto.crl());
      options.crl_path = path_of(proto.crl());
    }
    names(proto, options);
    for (int i = 0; i < proto.verify_certificate_hash_size(); ++i) {
      if (const auto digest = hex_digest(proto.verify_certificate_hash(i))) {
        options.hashes.push_back(*digest);
      } else {
        scope_.error(proto, V::kVerifyCertificateHashFieldNumber, "must be a SHA-256 in hex", i);
      }
    }
    for (int i = 0; i < proto.verify_certificate_spki_size(); ++i) {
      if (const auto digest = base64_digest(proto.verify_certificate_spki(i))) {
        options.spki.push_back(*digest);
      } else {
        scope_.error(proto, V::kVerifyCertificateSpkiFieldNumber, "must be a SHA-256 in base64", i);
      }
    }
    options.allow_expired = proto.allow_expired_certificate();
    if (options.allow_expired && options.trusted_ca.empty() && !options.system_roots) {
      scope_.error(proto, V::kAllowExpiredCertificateFieldNumber, "says nothing without a trusted_ca");
    }
    options.accept_untrusted = proto.trust_chain_verification() == V::ACCEPT_UNTRUSTED;
    options.only_leaf_crl = proto.only_verify_leaf_cert_crl();
    options.suppress_ca_list = proto.suppress_client_ca_list();
    if (proto.has_max_verify_depth()) options.max_depth = proto.max_verify_depth().value();
    out.validation = std::move(options);
  }

  // SPIFFE: the bundles take the place of everything else but the names, of which only URIs count. What would narrow
  // the trust and is not looked at (Envoy passes over it) is refused; trusted_ca says nothing.
  void custom_validator(const tls3::CertificateValidationContext& proto, CommonOptions& out) {
    using V = tls3::CertificateValidationContext;
    using Spiffe = tls3::SPIFFECertValidatorConfig;
    scope_.only(proto, {V::kTrustedCaFieldNumber, V::kWatchedDirectoryFieldNumber,
                        V::kMatchTypedSubjectAltNamesFieldNumber, V::kMatchSubjectAltNamesFieldNumber,
                        V::kAllowExpiredCertificateFieldNumber, V::kCustomValidatorConfigFieldNumber,
                        V::kMaxVerifyDepthFieldNumber, V::kSuppressClientCaListFieldNumber});
    const auto* spiffe = scope_.unpack_to<Spiffe>(proto.custom_validator_config().typed_config());
    if (spiffe == nullptr) return;
    scope_.only(*spiffe, {Spiffe::kTrustDomainsFieldNumber});
    if (spiffe->trust_domains().empty()) {
      scope_.error(*spiffe, Spiffe::kTrustDomainsFieldNumber, "needs a trust domain: nobody would be trusted");
    }
    net::tls::ValidationOptions options;
    for (const auto& domain : spiffe->trust_domains()) {
      scope_.only(domain, {Spiffe::TrustDomain::kNameFieldNumber, Spiffe::TrustDomain::kTrustBundleFieldNumber});
      options.trust_domains.push_back({domain.name(), text(domain.trust_bundle()), path_of(domain.trust_bundle())});
    }
    names(proto, options);
    const auto is_other = [](const net::tls::SanMatcher& san) { return san.type != SanType::kUri; };
    if (!proto.match_typed_subject_alt_names().empty() &&
        std::any_of(options.sans.begin(), options.sans.end(), is_other)) {
      scope_.error(proto, V::kMatchTypedSubjectAltNamesFieldNumber, "of these only URIs are matched with SPIFFE");
    }
    std::erase_if(options.sans, is_other);
    options.allow_expired = proto.allow_expired_certificate();
    options.suppress_ca_list = proto.suppress_client_ca_list();
    if (proto.has_max_verify_depth()) options.max_depth = proto.max_verify_depth().value();
    out.validation = std::move(options);
  }

  // The deprecated matchers stand for all types; beside typed ones they say nothing, as in Envoy.
  void names(const tls3::CertificateValidationContext& proto, net::tls::ValidationOptions& options) {
    for (const auto& matcher : proto.match_typed_subject_alt_names()) {
      if (auto san = compile_san(matcher, scope_)) options.sans.push_back(std::move(*san));
    }
    if (!proto.match_typed_subject_alt_names().empty()) return;
    for (const auto& matcher : proto.match_subject_alt_names()) {
      for (const SanType type : {SanType::kDns, SanType::kUri, SanType::kEmail, SanType::kIp}) {
        options.sans.push_back({type, compile_string_matcher(matcher, scope_), {}});
      }
    }
  }

  void key_log(const tls3::TlsKeyLog& proto, CommonOptions& out) {
    net::tls::KeyLogOptions options;
    options.local = compile_ranges(proto.local_address_range(), scope_);
    options.remote = compile_ranges(proto.remote_address_range(), scope_);
    options.file = open_log(proto, proto.path(), scope_);
    out.key_log = std::move(options);
  }

  // Empty after an error.
  std::string text(const core::DataSource& source) { return read_data_source(source, scope_).value_or(std::string()); }

  SecretLookup& secrets_;
  CompileScope& scope_;
  bool complete_ = true;
};

}  // namespace

std::optional<net::tls::ServerOptions> compile_server_options(const tls3::DownstreamTlsContext& proto,
                                                              SecretLookup& secrets, CompileScope& scope) {
  using D = tls3::DownstreamTlsContext;
  scope.only(proto,
             {D::kCommonTlsContextFieldNumber, D::kRequireClientCertificateFieldNumber, D::kRequireSniFieldNumber,
              D::kSessionTicketKeysFieldNumber, D::kSessionTicketKeysSdsSecretConfigFieldNumber,
              D::kDisableStatelessSessionResumptionFieldNumber, D::kDisableStatefulSessionResumptionFieldNumber,
              D::kSessionTimeoutFieldNumber, D::kFullScanCertsOnSniMismatchFieldNumber,
              D::kPreferClientCiphersFieldNumber, D::kOcspStaplePolicyFieldNumber});
  const size_t before = scope.findings().errors().size();
  net::tls::ServerOptions out;
  Compiler compiler(secrets, scope);
  compiler.common(proto.common_tls_context(), out);
  const auto& common = proto.common_tls_context();
  const auto& certificates = common.tls_certificates();
  if (std::all_of(certificates.begin(), certificates.end(), &holds_nothing) &&
      common.tls_certificate_sds_secret_configs().empty()) {
    scope.error(proto, "a server needs a certificate: none is in common_tls_context");
  }
  out.require_client_certificate = proto.require_client_certificate().value();
  out.stateless_resumption = !proto.disable_stateless_session_resumption();
  out.stateful_resumption = !proto.disable_stateful_session_resumption();
  out.full_scan_on_sni_mismatch = proto.full_scan_certs_on_sni_mismatch().value();
  out.prefer_client_ciphers = proto.prefer_client_ciphers();
  out.staple_policy = compile_policy(proto.ocsp_staple_policy());
  if (proto.has_session_timeout()) out.session_timeout = to_duration(proto.session_timeout());
  const tls3::TlsSessionTicketKeys* keys = proto.has_session_ticket_keys() ? &proto.session_ticket_keys() : nullptr;
  if (proto.has_session_ticket_keys_sds_secret_config()) {
    if (const auto* secret =
            compiler.find(proto.session_ticket_keys_sds_secret_config(), tls3::Secret::kSessionTicketKeys)) {
      keys = &secret->session_ticket_keys();
    }
  }
  if (keys != nullptr) {
    for (const auto& key : keys->keys()) {
      out.ticket_keys.push_back(read_data_source(key, scope).value_or(std::string()));
      if (out.ticket_keys.back().size() != 80) {
        scope.error(key, cat("a session ticket key has 80 bytes, this one ", out.ticket_keys.back().size()));
      }
    }
  }
  return compiler.complete() && scope.findings().errors().size() == before ? std::optional(std::move(out))
                                                                           : std::nullopt;
}

std::optional<net::tls::ClientOptions> compile_client_options(const tls3::UpstreamTlsContext& proto,
                                                              SecretLookup& secrets, CompileScope& scope) {
  using U = tls3::UpstreamTlsContext;
  // enforce_rsa_key_usage: OpenSSL always does.
  scope.only(proto, {U::kCommonTlsContextFieldNumber, U::kSniFieldNumber, U::kAutoHostSniFieldNumber,
                     U::kAutoSniSanValidationFieldNumber, U::kAllowRenegotiationFieldNumber,
                     U::kMaxSessionKeysFieldNumber, U::kEnforceRsaKeyUsageFieldNumber});
  const size_t before = scope.findings().errors().size();
  net::tls::ClientOptions out;
  Compiler compiler(secrets, scope);
  compiler.common(proto.common_tls_context(), out);
  if (proto.sni().find('\0') != std::string::npos) scope.error(proto, U::kSniFieldNumber, "holds a NUL byte");
  out.sni = proto.sni();
  out.auto_host_sni = proto.auto_host_sni();
  out.auto_sni_san_validation = proto.auto_sni_san_validation();
  out.allow_renegotiation = proto.allow_renegotiation();
  if (proto.has_max_session_keys()) out.max_session_keys = proto.max_session_keys().value();
  const bool has_ca = !out.validation || !out.validation->trusted_ca.empty() || out.validation->system_roots ||
                      !out.validation->trust_domains.empty();
  if (out.auto_sni_san_validation && compiler.complete() && (!out.validation || !has_ca)) {
    scope.error(proto, U::kAutoSniSanValidationFieldNumber, "needs a validation context with a trusted_ca");
  }
  if (proto.common_tls_context().tls_certificates_size() > 1 ||
      proto.common_tls_context().tls_certificate_sds_secret_configs_size() > 1) {
    scope.error(proto.common_tls_context(), tls3::CommonTlsContext::kTlsCertificatesFieldNumber,
                "a client can have one certificate only");
  }
  return compiler.complete() && scope.findings().errors().size() == before ? std::optional(std::move(out))
                                                                           : std::nullopt;
}

}  // namespace sluice::config
