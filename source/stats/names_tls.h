// The stats of TLS, under Envoy's names. Counters by cipher, curve, signature algorithm and version are made at their
// first use below the same prefix.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "listener.ADDRESS.ssl." or "cluster.NAME.ssl.".
// clang-format off
#define SLUICE_TLS_STATS(X) \
  X(kCounter, kConnectionError, "connection_error") X(kCounter, kFailVerifyCertHash, "fail_verify_cert_hash") \
  X(kCounter, kFailVerifyError, "fail_verify_error") X(kCounter, kFailVerifyNoCert, "fail_verify_no_cert") \
  X(kCounter, kFailVerifySan, "fail_verify_san") X(kCounter, kHandshake, "handshake") \
  X(kCounter, kNoCertificate, "no_certificate") X(kCounter, kOcspStapleFailed, "ocsp_staple_failed") \
  X(kCounter, kOcspStapleOmitted, "ocsp_staple_omitted") X(kCounter, kOcspStapleRequests, "ocsp_staple_requests") \
  X(kCounter, kOcspStapleResponses, "ocsp_staple_responses") X(kCounter, kSessionReused, "session_reused")
// clang-format on
SLUICE_STAT_BLOCK(TlsStat, SLUICE_TLS_STATS)

// Prefix "listener.ADDRESS.server_ssl_socket_factory." or "cluster.NAME.client_ssl_socket_factory.".
// clang-format off
#define SLUICE_TLS_FACTORY_STATS(X) \
  X(kCounter, kDownstreamContextSecretsNotReady, "downstream_context_secrets_not_ready") \
  X(kCounter, kSslContextUpdateBySds, "ssl_context_update_by_sds") \
  X(kCounter, kUpstreamContextSecretsNotReady, "upstream_context_secrets_not_ready")
// clang-format on
SLUICE_STAT_BLOCK(TlsFactoryStat, SLUICE_TLS_FACTORY_STATS)

// Prefix "….ssl.certificate.NAME.".
// clang-format off
#define SLUICE_CERTIFICATE_STATS(X) X(kGauge, kExpirationUnixTimeSeconds, "expiration_unix_time_seconds")
// clang-format on
SLUICE_STAT_BLOCK(CertificateStat, SLUICE_CERTIFICATE_STATS)

}  // namespace sluice::stats
