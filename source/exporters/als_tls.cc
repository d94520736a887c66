#include "exporters/als_tls.h"

#include <algorithm>
#include <span>

#include "exporters/wire.h"

namespace sluice::exporters {

using wire::Nested;

namespace {

// The suites that can be configured, by OpenSSL's names, with their numbers at IANA.
struct Suite {
  std::string_view name;
  uint16_t number;
};
constexpr Suite kSuites[] = {{"TLS_AES_128_GCM_SHA256", 0x1301},
                             {"TLS_AES_256_GCM_SHA384", 0x1302},
                             {"TLS_CHACHA20_POLY1305_SHA256", 0x1303},
                             {"DES-CBC3-SHA", 0x000a},
                             {"AES128-SHA", 0x002f},
                             {"AES256-SHA", 0x0035},
                             {"AES128-SHA256", 0x003c},
                             {"AES256-SHA256", 0x003d},
                             {"AES128-GCM-SHA256", 0x009c},
                             {"AES256-GCM-SHA384", 0x009d},
                             {"ECDHE-ECDSA-AES128-SHA", 0xc009},
                             {"ECDHE-ECDSA-AES256-SHA", 0xc00a},
                             {"ECDHE-RSA-AES128-SHA", 0xc013},
                             {"ECDHE-RSA-AES256-SHA", 0xc014},
                             {"ECDHE-ECDSA-AES128-SHA256", 0xc023},
                             {"ECDHE-ECDSA-AES256-SHA384", 0xc024},
                             {"ECDHE-RSA-AES128-SHA256", 0xc027},
                             {"ECDHE-RSA-AES256-SHA384", 0xc028},
                             {"ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b},
                             {"ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c},
                             {"ECDHE-RSA-AES128-GCM-SHA256", 0xc02f},
                             {"ECDHE-RSA-AES256-GCM-SHA384", 0xc030},
                             {"ECDHE-RSA-CHACHA20-POLY1305", 0xcca8},
                             {"ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9}};

constexpr std::string_view kVersions[] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

void append_certificate(std::string& to, uint32_t field, std::span<const std::string> uris, std::string_view subject,
                        std::string_view issuer) {
  Nested out(to, field);
  for (const std::string& uri : uris) {
    Nested name(to, 1);
    wire::append_text(to, 1, uri);
  }
  wire::put_text(to, 2, subject);
  wire::put_text(to, 3, issuer);
}

}  // namespace

void append_tls(std::string& to, uint32_t field, const net::TlsTexts& tls, std::string_view server_name) {
  Nested out(to, field);
  const auto* version = std::find(std::begin(kVersions), std::end(kVersions), tls.version);
  if (version != std::end(kVersions)) wire::append_number(to, 1, static_cast<uint64_t>(version - kVersions) + 1);
  const auto* suite =
      std::find_if(std::begin(kSuites), std::end(kSuites), [&](const Suite& one) { return one.name == tls.cipher; });
  if (suite != std::end(kSuites)) {
    Nested number(to, 2);
    wire::append_number(to, 1, suite->number);
  }
  wire::put_text(to, 3, server_name);
  append_certificate(to, 4, tls.local_uris, tls.local_subject, {});
  append_certificate(to, 5, tls.peer_uris, tls.peer_subject, tls.peer_issuer);
  wire::put_text(to, 6, tls.session_id);
  wire::put_text(to, 7, tls.ja3);
}

}  // namespace sluice::exporters
