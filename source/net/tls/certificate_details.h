// CertificateDetails: what the admin page /certs says about one certificate.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace sluice::net::tls {

struct CertificateDetails {
  std::string path;  // "<inline>" when it came from no file
  std::string name;  // in the names of stats
  std::string serial;
  std::vector<std::pair<std::string, std::string>> sans;  // "dns" | "uri" | "ip_address", name
  WallTime valid_from, valid_until;
  struct Ocsp {
    WallTime valid_from, expires;
  };
  std::optional<Ocsp> ocsp;  // of the response that is stapled
};

// Of one context: its CAs, and each of its chains, leaf first.
struct ContextDetails {
  std::vector<CertificateDetails> ca;
  std::vector<std::vector<CertificateDetails>> chains;
};

}  // namespace sluice::net::tls
