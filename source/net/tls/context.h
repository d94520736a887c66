// Contexts: what the connections of one DownstreamTlsContext or UpstreamTlsContext share: certificates and their
// selection, trust, sessions. OpenSSL's part of it; only for this folder.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/tls/certificate.h"
#include "net/tls/ocsp.h"
#include "net/tls/openssl.h"
#include "net/tls/tls_options.h"
#include "net/tls/verifier.h"

namespace sluice::net::tls {

// What the callbacks of OpenSSL need of the connection that they are called for: the CipherBio's caller. Thread:
// worker.
class ConnectionHooks {
 public:
  virtual WallTime wall_now() const = 0;
  // See TransportWishes; while the handshake runs.
  virtual std::span<const std::string> verify_names() const = 0;
  virtual void on_verdict(Verdict verdict) = 0;
  // Client: the certificate of a handshake that is over; in a renegotiation the server may not become somebody else.
  virtual const X509* settled_peer() const = 0;
  // Server: the client asked for a staple.
  virtual void on_staple(Staple staple) = 0;
  // Client: a session to resume later.
  virtual void on_session(SessionPtr session) = 0;
  virtual const Address& local_address() const = 0;
  virtual const Address& remote_address() const = 0;

 protected:
  ~ConnectionHooks() = default;
};

// The facts of one of our own certificates.
struct LocalFacts {
  std::string subject, uri_san, dns_san, ip_san, email_san, othername_san;
  std::vector<std::string> uris;
};

// A certificate of ours with its chain and key. Immutable. Thread: any.
struct OwnCertificate {
  X509Ptr leaf;
  std::vector<X509Ptr> chain;
  KeyPtr key;
  bool ecdsa = false;
  std::string path;
  std::string name;                // for stats
  std::vector<std::string> names;  // DNS names, or the common name
  LocalFacts facts;
  std::optional<OcspResponse> ocsp;
  bool must_staple = false;

  static Result<OwnCertificate> make(const CertificateSource& source);
  // SSL_use_cert_and_key and the like.
  bool use(SSL& ssl) const;
  bool use(SSL_CTX& context) const;
};

// Immutable once made, but for what OpenSSL keeps itself. Shared by the workers and the connections made from it.
// Thread: any.
class Context {
 public:
  virtual ~Context();
  const Verifier* verifier() const { return verifier_.get(); }
  const std::vector<OwnCertificate>& certificates() const { return certificates_; }
  const std::shared_ptr<event::AppendFile>& key_log() const { return key_log_; }
  // Of the certificate that a connection uses; null: it has none.
  const LocalFacts* local_facts(const X509* leaf) const;
  ContextDetails details() const;

 protected:
  Context() = default;
  Result<void> init(const CommonOptions& options, const SSL_METHOD* method, bool server);
  SslPtr new_ssl() const { return SslPtr(SSL_new(ssl_ctx_.get())); }
  // Sessions are good only where the same would have been verified.
  void bind_sessions(std::string_view more);

  SslCtxPtr ssl_ctx_;
  std::vector<OwnCertificate> certificates_;
  std::unique_ptr<const Verifier> verifier_;
  std::string alpn_;  // as on the wire
  std::shared_ptr<event::AppendFile> key_log_;
  std::vector<Cidr> key_log_local_, key_log_remote_;

 private:
  Result<void> init_parameters(const Parameters& parameters, bool server);
  static int on_verify(X509_STORE_CTX* chain, void* context);
  static void on_key_line(const SSL* ssl, const char* line);
};

// Thread: any.
class ServerContext final : public Context {
 public:
  static Result<std::shared_ptr<const ServerContext>> make(const ServerOptions& options);

  SslPtr accept() const;

 private:
  struct TicketKey {
    unsigned char name[16];
    unsigned char hmac[32];
    unsigned char aes[32];
  };
  // Chosen by what a ClientHello says.
  struct Wanted {
    std::string server_name;
    bool ecdsa = false;
    bool tls13 = false;
    bool staple = false;
  };
  static Wanted read_hello(SSL& ssl);
  const OwnCertificate& choose(const Wanted& wanted) const;
  Staple staple(const OwnCertificate& own, WallTime now) const;

  static int on_hello(SSL* ssl, int* alert, void* context);
  static int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* size, const unsigned char* in,
                     unsigned in_size, void* context);
  static int on_status(SSL* ssl, void* context);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int encrypt);

  bool full_scan_ = false;
  bool own_order_ = true;
  StaplePolicy staple_policy_ = StaplePolicy::kLenient;
  std::vector<TicketKey> ticket_keys_;
  std::map<std::string, std::vector<const OwnCertificate*>, std::less<>> by_name_;  // "*.a" as ".a"
};

// Thread: any; the sessions have a lock.
class ClientContext final : public Context {
 public:
  static Result<std::shared_ptr<const ClientContext>> make(const ClientOptions& options);

  struct Ask {
    std::string_view server_name;                // SNI; empty: none
    std::span<const std::string> alpn_fallback;  // without configured ones
    std::span<const std::string> alpn;           // whatever is configured; empty: nothing
    std::string_view session_key;                // connections with the same key may resume each other's sessions
    bool verify = false;                         // whatever the configuration says
  };
  SslPtr connect(const Ask& ask) const;
  void keep_session(std::string_view key, SessionPtr session) const;
  const ClientOptions& options() const { return options_; }

 private:
  explicit ClientContext(const ClientOptions& options) : options_(options) {}
  static int on_session(SSL* ssl, SSL_SESSION* session);

  static constexpr size_t kMaxSessions = 1024;
  const ClientOptions options_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::vector<SessionPtr>, std::less<>> sessions_;  // by key, newest last
};

// The names of protocols as ALPN has them on the wire; an error when one is empty or too long.
Result<std::string> alpn_wire(std::span<const std::string> names);

}  // namespace sluice::net::tls
