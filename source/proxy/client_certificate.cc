#include "proxy/client_certificate.h"

#include <string>
#include <vector>

#include "base/percent.h"
#include "base/strings.h"
#include "format/json_text.h"
#include "http/chars.h"

namespace sluice::proxy {

using http::Token;
using model::ClientCertDetails;

namespace {

// By, Hash, Cert, Chain, Subject, URI, DNS. Subject and URI stand there even when there is none.
std::string describe(const model::ClientCertParts& parts, const net::TlsTexts& tls) {
  std::string out;
  for (const std::string& uri : tls.local_uris) append(out, "By=", uri, ";");
  append(out, "Hash=", tls.peer_fingerprint_256);
  if (parts.cert) append(out, ";Cert=\"", tls.peer_certificate, "\"");
  if (parts.chain) append(out, ";Chain=\"", tls.peer_chain, "\"");
  if (parts.subject) append(out, ";Subject=\"", tls.peer_subject, "\"");
  if (parts.uri) {
    for (const std::string& uri : tls.peer_uris) append(out, ";URI=", uri);
    if (tls.peer_uris.empty()) out += ";URI=";
  }
  if (parts.dns) {
    for (const std::string& name : tls.peer_dns_names) append(out, ";DNS=", name);
  }
  if (parts.issuer) append(out, ";Issuer=\"", tls.peer_issuer, "\"");
  return out;
}

void append_key(std::string& out, std::string_view key) {
  if (out.back() != '{') out += ',';
  append(out, "\"", key, "\":");
}

template <typename Texts>
void append_texts(std::string& out, std::string_view key, const Texts& texts) {
  if (texts.empty()) return;
  append_key(out, key);
  out += '[';
  for (const auto& text : texts) {
    if (out.back() != '[') out += ',';
    format::append_json_string(out, text);
  }
  out += ']';
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
  append_key(out, key);
  format::append_json_string(out, text);
}

// One by one, as the PEM of a chain has them.
std::vector<std::string_view> certificates_of(std::string_view chain) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  std::vector<std::string_view> out;
  while (!chain.empty()) {
    const size_t at = chain.find(kEnd);
    const size_t size = at == std::string_view::npos ? chain.size() : at + kEnd.size();
    out.push_back(chain.substr(0, size));
    chain.remove_prefix(size);
  }
  return out;
}

// The same as a JSON object.
std::string describe_json(const model::ClientCertParts& parts, const net::TlsTexts& tls) {
  std::string out = "{";
  append_texts(out, "by", tls.local_uris);
  append_text(out, "hash", tls.peer_fingerprint_256);
  if (parts.cert) append_text(out, "cert", percent_decoded(tls.peer_certificate));
  if (parts.chain) append_texts(out, "chain", certificates_of(percent_decoded(tls.peer_chain)));
  if (parts.subject) append_text(out, "subject", tls.peer_subject);
  if (parts.uri) append_texts(out, "uri", tls.peer_uris);
  if (parts.dns) append_texts(out, "dns", tls.peer_dns_names);
  if (parts.issuer) append_text(out, "issuer", tls.peer_issuer);
  out += '}';
  return out;
}

// What came with one more element. Only an array can hold a JSON object; behind all else the other form stands.
std::string_view appended(const model::ClientCertParts& parts, const net::TlsTexts& tls, std::string_view came,
                          Arena& arena) {
  if (came.empty()) return arena.copy(parts.json ? cat("[", describe_json(parts, tls), "]") : describe(parts, tls));
  if (!parts.json || came.front() != '[' || came.back() != ']') return arena.copy(cat(came, ",", describe(parts, tls)));
  came.remove_suffix(1);
  const bool first = http::trim_blanks(came) == "[";
  return arena.copy(cat(came, first ? "" : ",", describe_json(parts, tls), "]"));
}

}  // namespace

void forward_client_certificate(const model::HttpPlan& plan, const net::TlsFacts& tls, http::HeaderMap& fields) {
  if (!tls.peer_presented) return;
  const bool appends = plan.client_cert == ClientCertDetails::kAppendForward;
  if (!appends && plan.client_cert != ClientCertDetails::kSanitizeSet) return;
  const std::string_view came = appends ? fields.get(Token::kXForwardedClientCert) : std::string_view();
  fields.set(Token::kXForwardedClientCert, appended(plan.client_cert_parts, tls.texts(), came, fields.arena()));
}

}  // namespace sluice::proxy
