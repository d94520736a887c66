#include "net/tls/openssl.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/strings.h"

namespace sluice::net::tls {

namespace {

// BoringSSL's number and name of what OpenSSL calls otherwise, or numbers otherwise. Alerts have the same numbers in
// both (1000 and the alert).
struct Translation {
  int openssl;
  int boring;
  std::string_view name;
};
constexpr Translation kTranslations[] = {
    {SSL_R_APP_DATA_IN_HANDSHAKE, 100, "APP_DATA_IN_HANDSHAKE"},
    {SSL_R_BAD_CHANGE_CIPHER_SPEC, 103, "BAD_CHANGE_CIPHER_SPEC"},
    {SSL_R_BAD_DIGEST_LENGTH, 106, "BAD_DIGEST_LENGTH"},
    {SSL_R_BAD_ECC_CERT, 107, "BAD_ECC_CERT"},
    {SSL_R_BAD_ECPOINT, 108, "BAD_ECPOINT"},
    {SSL_R_BAD_LENGTH, 111, "BAD_LENGTH"},
    {SSL_R_BAD_PACKET_LENGTH, 112, "BAD_PACKET_LENGTH"},
    {SSL_R_BAD_SIGNATURE, 114, "BAD_SIGNATURE"},
    {SSL_R_CERTIFICATE_VERIFY_FAILED, 125, "CERTIFICATE_VERIFY_FAILED"},
    {SSL_R_CERT_LENGTH_MISMATCH, 127, "CERT_LENGTH_MISMATCH"},
    {SSL_R_DATA_LENGTH_TOO_LONG, 136, "DATA_LENGTH_TOO_LONG"},
    {SSL_R_DECRYPTION_FAILED, 138, "DECRYPTION_FAILED"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, 139, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"},
    {SSL_R_DIGEST_CHECK_FAILED, 142, "DIGEST_CHECK_FAILED"},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, 146, "ENCRYPTED_LENGTH_TOO_LONG"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, 146, "ENCRYPTED_LENGTH_TOO_LONG"},
    {SSL_R_ERROR_IN_RECEIVED_CIPHER_LIST, 148, "ERROR_IN_RECEIVED_CIPHER_LIST"},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, 150, "EXCESSIVE_MESSAGE_SIZE"},
    {SSL_R_HTTPS_PROXY_REQUEST, 155, "HTTPS_PROXY_REQUEST"},
    {SSL_R_HTTP_REQUEST, 156, "HTTP_REQUEST"},
    {SSL_R_LENGTH_MISMATCH, 162, "LENGTH_MISMATCH"},
    {SSL_R_NO_RENEGOTIATION, 182, "NO_RENEGOTIATION"},
    {SSL_R_NO_SHARED_CIPHER, 184, "NO_SHARED_CIPHER"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, 192, "PEER_DID_NOT_RETURN_A_CERTIFICATE"},
    {SSL_R_UNEXPECTED_MESSAGE, 223, "UNEXPECTED_MESSAGE"},
    {SSL_R_UNEXPECTED_RECORD, 225, "UNEXPECTED_RECORD"},
    {SSL_R_UNSUPPORTED_PROTOCOL, 240, "UNSUPPORTED_PROTOCOL"},
    {SSL_R_WRONG_VERSION_NUMBER, 247, "WRONG_VERSION_NUMBER"},
    {SSL_R_WRONG_CIPHER_RETURNED, 242, "WRONG_CIPHER_RETURNED"},
    {SSL_R_WRONG_SSL_VERSION, 246, "WRONG_SSL_VERSION"},
};

// "tlsv1 alert unknown ca" -> "TLSV1_ALERT_UNKNOWN_CA"
std::string name_of(const char* words) {
  std::string name = words != nullptr ? words : "unknown";
  std::replace(name.begin(), name.end(), ' ', '_');
  std::replace(name.begin(), name.end(), '-', '_');
  for (char& c : name) {
    c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  return name;
}

}  // namespace

BioPtr reader_of(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<size_t>(text.size(), INT_MAX))));
}

std::string boring_error(int reason, std::string_view name) {
  constexpr unsigned kSslLibrary = 16;  // BoringSSL's ERR_LIB_SSL
  return cat("|", kSslLibrary << 24 | static_cast<unsigned>(reason), ":SSL routines:OPENSSL_internal:", name);
}

QueuedErrors take_errors() {
  QueuedErrors out;
  while (const unsigned long error = ERR_get_error()) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) {
      // A failed verification or signature leaves words of other libraries beside the one that counts.
      if (out.text.empty() && ERR_peek_error() == 0) {
        out.text = cat("|", error, ":", name_of(ERR_reason_error_string(error)));
      }
      continue;
    }
    const int reason = ERR_GET_REASON(error);
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      out.no_certificate = out.counted = true;
    } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
      out.counted = true;
    }
    int number = reason;
    std::string name;
    for (const Translation& row : kTranslations) {
      if (row.openssl == reason) {
        number = row.boring;
        name = row.name;
      }
    }
    out.text += boring_error(number, name.empty() ? name_of(ERR_reason_error_string(error)) : name);
  }
  return out;
}

std::string system_error(std::string_view why) {
  return cat("TLS_error:|", (2u << 24) | static_cast<unsigned>(why == "Broken pipe" ? EPIPE : ECONNRESET),
             ":system library:OPENSSL_internal:", why, ":TLS_error_end");
}

std::string take_error_words() {
  const unsigned long error = ERR_peek_last_error();
  const char* words = error == 0 ? nullptr : ERR_reason_error_string(error);
  std::string text = words != nullptr ? words : "unknown error";
  ERR_clear_error();
  return text;
}

std::string_view group_of(SSL& ssl) {
  switch (SSL_get_negotiated_group(&ssl)) {
    case NID_X25519:
      return "X25519";
    case NID_X448:
      return "X448";
    case NID_X9_62_prime256v1:
      return "P-256";
    case NID_secp384r1:
      return "P-384";
    case NID_secp521r1:
      return "P-521";
    default:
      return {};
  }
}

}  // namespace sluice::net::tls
