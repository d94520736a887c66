#include "proxy/client_certificate.h"

#include <string>

#include "base/strings.h"

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
  return out;
}

}  // namespace

void forward_client_certificate(const model::HttpPlan& plan, const net::TlsFacts& tls, http::HeaderMap& fields) {
  if (!tls.peer_presented) return;
  if (plan.client_cert == ClientCertDetails::kAppendForward) {
    fields.append_value(Token::kXForwardedClientCert,
                        fields.arena().copy(describe(plan.client_cert_parts, tls.texts())), ",");
  } else if (plan.client_cert == ClientCertDetails::kSanitizeSet) {
    fields.set(Token::kXForwardedClientCert, fields.arena().copy(describe(plan.client_cert_parts, tls.texts())));
  }
}

}  // namespace sluice::proxy
