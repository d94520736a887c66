// Certificates: reading them, and what is said about them in facts, matchers and on the admin page. Only for this
// folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "base/time.h"
#include "net/tls/certificate_details.h"
#include "net/tls/openssl.h"
#include "net/tls/tls_options.h"

namespace sluice::net::tls {

// A subject alternative name. Text of any bytes, NUL too; an address in its usual writing, or as it stands when it is
// none.
struct San {
  SanType type;
  std::string text;
  std::string oid;  // kOther
};

std::vector<San> sans_of(const X509& certificate);
// Of one type, joined with ','.
std::string joined_sans(const X509& certificate, SanType type);

// RFC 2253: "CN=a,O=b".
std::string subject_of(const X509& certificate);
std::string issuer_of(const X509& certificate);
// Lower-case hex.
std::string serial_of(const X509& certificate);
std::string sha256_hex(const X509& certificate);
std::string sha1_hex(const X509& certificate);
Digest sha256_of(const X509& certificate);
Digest spki_sha256_of(const X509& certificate);
// PEM with everything but letters, digits, '-', '.', '_' and '~' percent-encoded, as Envoy does.
std::string url_encoded_pem(const X509& certificate);
WallTime valid_from(const X509& certificate);
WallTime valid_until(const X509& certificate);
std::string common_name(const X509& certificate);

// All certificates of a PEM text; an error when there is none, or one is broken.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem);
Result<KeyPtr> read_key(const std::string& pem, const std::string& password);

CertificateDetails details_of(const X509& certificate, std::string_view path);

std::string to_hex(const unsigned char* bytes, size_t size);

}  // namespace sluice::net::tls
