// The few handles of OpenSSL that our objects own, and what stands in its error queue. Only for this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace sluice::net::tls {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using CrlPtr = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free>>;

// A BIO that reads `text`, which must outlive it.
BioPtr reader_of(std::string_view text);

// The group that a finished handshake agreed on, by its name of RFC 8446 or FIPS 186, as other libraries write them.
// Empty: an unusual one, or none.
std::string_view group_of(SSL& ssl);

// What the error queue of this thread says, in the words and numbers of BoringSSL, as Envoy's logs have it:
// "|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED". The queue is empty afterwards.
struct QueuedErrors {
  std::string text;      // empty: nothing was queued
  bool counted = false;  // a verification failed, or the peer was gone: counted elsewhere
  bool no_certificate = false;
};
QueuedErrors take_errors();
// The same for a fault that we found ourselves.
std::string boring_error(int reason, std::string_view name);
// The same for an error of the system on the pipe below, by its number.
std::string system_error(std::string_view why);
// The first queued error in OpenSSL's own words, for faults in configurations; the queue is empty afterwards.
std::string take_error_words();

}  // namespace sluice::net::tls
