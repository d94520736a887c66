#include "net/tls/context.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "net/tls/cipher_bio.h"

namespace sluice::net::tls {

namespace {

// AES-128 first, as Envoy; static RSA, CBC and everything without forward secrecy is off.
constexpr char kDefaultCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kDefaultCurves[] = "X25519:P-256";

int number_of(Version version, int automatic) {
  switch (version) {
    case Version::kAuto:
      return automatic;
    case Version::kTls10:
      return TLS1_VERSION;
    case Version::kTls11:
      return TLS1_1_VERSION;
    case Version::kTls12:
      return TLS1_2_VERSION;
    case Version::kTls13:
      return TLS1_3_VERSION;
  }
  return automatic;
}

// BoringSSL's groups of equal ciphers "[A|B]" are A, then B, here. Names may be OpenSSL's or those of the standard.
std::string cipher_list(const std::vector<std::string>& names) {
  std::string out;
  const auto add = [&out](const std::string& name) {
    const char* known = name.starts_with("TLS_") ? OPENSSL_cipher_name(name.c_str()) : nullptr;
    const bool found = known != nullptr && std::string_view(known) != "(NONE)";
    append(out, out.empty() ? "" : ":", found ? std::string_view(known) : std::string_view(name));
  };
  for (const std::string& group : names) {
    std::string name;
    for (const char c : group) {
      if (c == '|' || c == ':') {
        add(std::exchange(name, {}));
      } else if (c != '[' && c != ']') {
        name.push_back(c);
      }
    }
    add(name);
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    append(out, &name == &names.front() ? "" : ":", name);
  }
  return out;
}

Result<void> check_key(const X509& leaf, bool& ecdsa, std::string_view path) {
  const EVP_PKEY* key = X509_get0_pubkey(&leaf);
  switch (key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key) < 2048) {
        return Error{cat("failed to load certificate chain from ", path,
                         ", only RSA certificates with 2048-bit or larger keys are supported")};
      }
      return {};
    case EVP_PKEY_EC: {
      char group[64] = "";
      size_t size = 0;
      EVP_PKEY_get_group_name(key, group, sizeof(group), &size);
      const std::string_view name(group, size);
      if (name != "prime256v1" && name != "P-256" && name != "secp384r1" && name != "P-384" && name != "secp521r1" &&
          name != "P-521") {
        return Error{cat("failed to load certificate chain from ", path,
                         ", only P-256, P-384 or P-521 ECDSA certificates are supported")};
      }
      ecdsa = true;
      return {};
    }
    default:
      return {};
  }
}

Result<void> read_pkcs12(const CertificateSource& source, OwnCertificate& out) {
  const BioPtr in = reader_of(source.pkcs12);
  std::unique_ptr<PKCS12, Freed<PKCS12_free>> file(d2i_PKCS12_bio(in.get(), nullptr));
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* rest = nullptr;
  if (file == nullptr || PKCS12_parse(file.get(), source.password.c_str(), &key, &leaf, &rest) != 1 ||
      leaf == nullptr || key == nullptr) {
    X509_free(leaf);
    EVP_PKEY_free(key);
    return Error{cat("failed to load pkcs12 from ", source.chain_path, ": ", take_error_words())};
  }
  out.leaf.reset(leaf);
  out.key.reset(key);
  while (rest != nullptr && sk_X509_num(rest) > 0) {
    out.chain.emplace_back(sk_X509_shift(rest));
  }
  sk_X509_free(rest);
  return {};
}

// A name for what has none: by the text that stands inline.
std::string stat_name(std::string_view prefix, std::string_view path, std::string_view text) {
  const std::string_view named_by = path == "<inline>" ? text : std::string_view();
  unsigned char digest[32];
  EVP_Digest(named_by.data(), named_by.size(), digest, nullptr, EVP_sha256(), nullptr);
  return cat(prefix, to_hex(digest, 4));
}

bool contains(const std::vector<Cidr>& ranges, const Address& address) {
  return ranges.empty() ||
         std::any_of(ranges.begin(), ranges.end(), [&](const Cidr& range) { return range.contains(address); });
}

}  // namespace

Parameters Parameters::fips_202205() {
  return {.min = Version::kTls12,
          .max = Version::kTls13,
          .ciphers = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                      "ECDHE-RSA-AES256-GCM-SHA384"},
          .curves = {"P-256", "P-384"},
          .signature_algorithms = {"rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "ecdsa_secp256r1_sha256",
                                   "ecdsa_secp384r1_sha384", "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384",
                                   "rsa_pss_rsae_sha512"},
          .suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"};
}

Result<std::string> alpn_wire(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) {
      return Error{cat("'", name, "' cannot be the name of an application protocol")};
    }
    out += static_cast<char>(name.size());
    out += name;
  }
  return out;
}

Result<OwnCertificate> OwnCertificate::make(const CertificateSource& source) {
  OwnCertificate out;
  out.path = source.chain_path;
  out.name = source.name.empty() ? stat_name("unnamed_cert_", source.chain_path, source.chain) : source.name;
  if (!source.pkcs12.empty()) {
    if (auto read = read_pkcs12(source, out); !read) {
      return Error{read.error()};
    }
  } else {
    auto chain = read_certificates(source.chain);
    if (!chain) {
      return Error{cat("failed to load certificate chain from ", source.chain_path, ": ", chain.error())};
    }
    out.leaf = std::move(chain->front());
    for (size_t i = 1; i < chain->size(); ++i) {
      out.chain.push_back(std::move((*chain)[i]));
    }
    auto key = read_key(source.key, source.password);
    if (!key) {
      return Error{cat("failed to load private key from ", source.key_path, ": ", key.error())};
    }
    out.key = std::move(*key);
  }
  if (X509_check_private_key(out.leaf.get(), out.key.get()) != 1) {
    return Error{cat("failed to load private key from ", source.key_path, ": ", take_error_words())};
  }
  if (auto good = check_key(*out.leaf, out.ecdsa, source.chain_path); !good) {
    return Error{good.error()};
  }
  for (const San& san : sans_of(*out.leaf)) {
    if (san.type == SanType::kDns) {
      out.names.push_back(to_lower(san.text));
    }
  }
  if (out.names.empty() && !common_name(*out.leaf).empty()) {
    out.names.push_back(to_lower(common_name(*out.leaf)));
  }
  const X509& leaf = *out.leaf;
  out.must_staple = net::tls::must_staple(leaf);
  if (!source.ocsp.empty()) {
    auto ocsp = OcspResponse::read(source.ocsp, leaf);
    if (!ocsp) {
      return Error{cat("ocsp_staple of ", source.chain_path, " ", ocsp.error())};
    }
    out.ocsp = std::move(*ocsp);
  }
  out.facts = {subject_of(leaf),
               joined_sans(leaf, SanType::kUri),
               joined_sans(leaf, SanType::kDns),
               joined_sans(leaf, SanType::kIp),
               joined_sans(leaf, SanType::kEmail),
               joined_sans(leaf, SanType::kOther),
               {}};
  for (const San& san : sans_of(leaf)) {
    if (san.type == SanType::kUri) {
      out.facts.uris.push_back(san.text);
    }
  }
  return out;
}

bool OwnCertificate::use(SSL& ssl) const {
  if (SSL_use_certificate(&ssl, leaf.get()) != 1 || SSL_use_PrivateKey(&ssl, key.get()) != 1) {
    return false;
  }
  SSL_clear_chain_certs(&ssl);
  for (const X509Ptr& one : chain) {
    if (SSL_add1_chain_cert(&ssl, one.get()) != 1) {
      return false;
    }
  }
  return true;
}

bool OwnCertificate::use(SSL_CTX& context) const {
  if (SSL_CTX_use_certificate(&context, leaf.get()) != 1 || SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
    return false;
  }
  SSL_CTX_clear_chain_certs(&context);
  for (const X509Ptr& one : chain) {
    if (SSL_CTX_add1_chain_cert(&context, one.get()) != 1) {
      return false;
    }
  }
  return true;
}

Context::~Context() = default;

const LocalFacts* Context::local_facts(const X509* leaf) const {
  for (const OwnCertificate& own : certificates_) {
    if (own.leaf.get() == leaf) {
      return &own.facts;
    }
  }
  return nullptr;
}

ContextDetails Context::details() const {
  ContextDetails out;
  if (verifier_ != nullptr) {
    for (const X509Ptr& ca : verifier_->ca()) {
      out.ca.push_back(details_of(*ca, verifier_->options().ca_path));
      out.ca.back().name = stat_name("unnamed_ca_cert_", verifier_->options().ca_path, verifier_->options().trusted_ca);
      break;  // Envoy shows the first of a file
    }
    if (const auto bundles = verifier_->bundles().certificates(); !bundles.empty()) {
      const TrustDomain& first = verifier_->options().trust_domains.front();
      out.ca.push_back(details_of(*bundles.front(), cat(first.name, ": ", first.path)));
      out.ca.back().name = stat_name("unnamed_ca_cert_", first.path, first.bundle);
    }
  }
  for (const OwnCertificate& own : certificates_) {
    out.chains.push_back({details_of(*own.leaf, own.path)});
    out.chains.back().front().name = own.name;
    if (own.ocsp)
      out.chains.back().front().ocsp = {own.ocsp->valid_from, own.ocsp->expires.value_or(own.ocsp->valid_from)};
  }
  return out;
}

Result<void> Context::init_parameters(const Parameters& parameters, bool server) {
  SSL_CTX& ctx = *ssl_ctx_;
  const int min = number_of(parameters.min, TLS1_2_VERSION);
  const int max = number_of(parameters.max, server ? TLS1_3_VERSION : TLS1_2_VERSION);
  // What the configuration says, not what the machine's openssl.cnf does.
  SSL_CTX_set_security_level(&ctx, min < TLS1_2_VERSION ? 0 : 1);
  SSL_CTX_set_min_proto_version(&ctx, min);
  SSL_CTX_set_max_proto_version(&ctx, max);
  // An empty text is no list.
  const std::string wanted = cipher_list(parameters.ciphers);
  const std::string ciphers = wanted.empty() ? kDefaultCiphers : wanted;
  if (SSL_CTX_set_cipher_list(&ctx, ciphers.c_str()) != 1) {
    ERR_clear_error();
    return Error{cat("failed to initialize cipher suites ", ciphers)};
  }
  // A list with one good name in it is good to OpenSSL: each is looked at alone.
  for (std::string_view rest = ciphers; !wanted.empty() && !rest.empty();) {
    const std::string name(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    SslCtxPtr probe(SSL_CTX_new(TLS_method()));
    // What is taken away or moved to the end is a name too.
    const char* const alone = name.c_str() + std::strspn(name.c_str(), "-!+");
    if (SSL_CTX_set_cipher_list(probe.get(), alone) != 1) {
      ERR_clear_error();
      return Error{cat("failed to initialize cipher suites ", ciphers, ": there is no '", name, "'")};
    }
  }
  if (!parameters.suites.empty() && SSL_CTX_set_ciphersuites(&ctx, parameters.suites.c_str()) != 1) {
    ERR_clear_error();
    return Error{cat("failed to initialize cipher suites ", parameters.suites)};
  }
  const std::string groups = joined(parameters.curves);
  const std::string curves = groups.empty() ? kDefaultCurves : groups;
  if (SSL_CTX_set1_groups_list(&ctx, curves.c_str()) != 1) {
    ERR_clear_error();
    return Error{cat("failed to initialize ECDH curves ", curves)};
  }
  // An empty text is no list, as above.
  if (const std::string list = joined(parameters.signature_algorithms); !list.empty()) {
    if (SSL_CTX_set1_sigalgs_list(&ctx, list.c_str()) != 1) {
      ERR_clear_error();
      return Error{cat("failed to initialize TLS signature algorithms ", list)};
    }
  }
  return {};
}

Result<void> Context::init(const CommonOptions& options, const SSL_METHOD* method, bool server) {
  ERR_clear_error();
  ssl_ctx_.reset(SSL_CTX_new(method));
  SSL_CTX& ctx = *ssl_ctx_;
  SSL_CTX_set_app_data(&ctx, this);
  SSL_CTX_set_options(&ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Idle connections hold no record buffers.
  SSL_CTX_set_mode(&ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (auto good = init_parameters(options.parameters, server); !good) {
    return good;
  }
  for (const CertificateSource& source : options.certificates) {
    auto own = OwnCertificate::make(source);
    if (!own) {
      return Error{own.error()};
    }
    certificates_.push_back(std::move(*own));
  }
  if (!certificates_.empty() && !certificates_.front().use(ctx)) {
    return Error{cat("failed to load certificate chain from ", certificates_.front().path, ": ", take_error_words())};
  }
  if (options.validation) {
    auto verifier = Verifier::make(*options.validation);
    if (!verifier) {
      return Error{verifier.error()};
    }
    verifier_ = std::move(*verifier);
    if (auto good = verifier_->configure(ctx, server); !good) {
      return good;
    }
  }
  auto alpn = alpn_wire(options.alpn);
  if (!alpn) {
    return Error{alpn.error()};
  }
  alpn_ = std::move(*alpn);
  SSL_CTX_set_cert_verify_callback(&ctx, on_verify, this);
  if (options.key_log && options.key_log->file != nullptr) {
    key_log_ = options.key_log->file;
    key_log_local_ = options.key_log->local;
    key_log_remote_ = options.key_log->remote;
    SSL_CTX_set_keylog_callback(&ctx, on_key_line);
  }
  return {};
}

void Context::bind_sessions(std::string_view more) {
  std::string all(more);
  const auto add = [&](std::string_view part) { append(all, part.size(), ":", part); };
  if (verifier_ != nullptr) {
    const ValidationOptions& options = verifier_->options();
    add(options.trusted_ca);
    add(options.crl);
    for (const TrustDomain& domain : options.trust_domains) {
      add(domain.name);
      add(domain.bundle);
    }
    add("");
    for (const SanMatcher& san : options.sans) {
      add(name_of(san.type));
      add(san.matcher.describe());
      add(san.oid);
    }
    for (const std::vector<Digest>* list : {&options.hashes, &options.spki}) {
      for (const Digest& digest : *list) {
        add({reinterpret_cast<const char*>(digest.data()), digest.size()});
      }
      add("");
    }
    append(all, options.system_roots ? 1 : 0, options.allow_expired ? 1 : 0, options.accept_untrusted ? 1 : 0,
           options.only_leaf_crl ? 1 : 0, ":", options.max_depth);
  }
  for (const OwnCertificate& own : certificates_) {
    add(own.facts.subject);
    add(own.facts.dns_san);
    add(own.facts.uri_san);
  }
  unsigned char id[32];
  EVP_Digest(all.data(), all.size(), id, nullptr, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(ssl_ctx_.get(), id, sizeof(id));
}

int Context::on_verify(X509_STORE_CTX* chain, void* context) {
  ConnectionHooks& hooks = CipherBio::of_thread().caller();
  const auto& self = *static_cast<const Context*>(context);
  if (const X509* before = hooks.settled_peer();
      before != nullptr && X509_cmp(before, X509_STORE_CTX_get0_cert(chain)) != 0) {
    X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  if (self.verifier_ == nullptr) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
  }
  Verdict verdict = self.verifier_->verify(*chain, hooks.wall_now(), hooks.verify_names());
  const bool go_on = verdict.refusal == Refusal::kNone || verdict.accepted;
  hooks.on_verdict(std::move(verdict));
  return go_on ? 1 : 0;
}

void Context::on_key_line(const SSL* ssl, const char* line) {
  const auto& self = *static_cast<const Context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const ConnectionHooks& hooks = CipherBio::of_thread().caller();
  if (contains(self.key_log_local_, hooks.local_address()) && contains(self.key_log_remote_, hooks.remote_address())) {
    (void)self.key_log_->append(cat(line, "\n"));
  }
}

}  // namespace sluice::net::tls
