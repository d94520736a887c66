// TlsSecrets: the secrets that TLS contexts refer to (of the bootstrap, and in files that are watched), and the
// contexts that are made anew when one changes.
//
// A change is all or nothing: every context that uses the secret is made first; when one cannot be, all keep the old.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/tls_options_compiler.h"
#include "event/files.h"
#include "net/tls/tls_plan.h"
#include "stats/names_sds.h"
#include "stats/names_tls.h"
#include "stats/registry.h"

namespace sluice::config {

// Owned by the compiled bootstrap. Thread: main.
class TlsSecrets final : private SecretLookup {
 public:
  using Secret = envoy::extensions::transport_sockets::tls::v3::Secret;
  using Reference = envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig;
  using Downstream = envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext;
  using Upstream = envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext;

  // Without files (only validating) secrets in files are not looked at.
  TlsSecrets(const Extensions& extensions, event::Files* files, proxy::LogFiles* logs);
  ~TlsSecrets();
  TlsSecrets(const TlsSecrets&) = delete;
  TlsSecrets& operator=(const TlsSecrets&) = delete;

  // Of static_resources.secrets; it outlives this.
  void add_static(const Secret& secret, CompileScope& scope);
  // A context for the listener or cluster whose stats begin with `stat_prefix`. Null after an error.
  net::TransportSocketPlanPtr add(const Downstream& proto, std::string_view stat_prefix, CompileScope& scope);
  net::TransportSocketPlanPtr add(const Upstream& proto, std::string_view stat_prefix, CompileScope& scope);

  // From now on files are watched, and what happened and happens is counted.
  void start(stats::Registry& registry, stats::WorkerCells& cells, Function<WallTime()> now);
  // For /certs.
  std::vector<net::tls::ContextDetails> details() const;
  // The end of the certificate in force that ends first; none: there is no certificate.
  std::optional<WallTime> first_expiry() const;

 private:
  struct Loaded;
  struct Source;
  struct User;

  const Secret* find(const Reference& reference) override;
  Source* source_of(const Reference& reference);
  net::TransportSocketPlanPtr add(std::unique_ptr<User> user, std::string_view stat_prefix, CompileScope& scope);
  // Compiles a context of now; the function puts it in force. A null function: a secret is missing.
  Result<Function<void()>> prepare(User& user, CompileScope& scope);
  void begin(User& user, const std::vector<Source*>& sources);
  // The file of a source changed, or one that its secret names.
  void read(Source& source);
  void read_again(Source& source);
  Result<std::unique_ptr<Loaded>> load(const Source& source);
  Result<void> put_in_force(Source& source);
  void watch(Source& source);
  void watch_secret(Source& source);
  void show(User& user);

  const Extensions& extensions_;
  event::Files* const files_;
  proxy::LogFiles* const logs_;
  std::map<std::string, const Secret*, std::less<>> static_;
  std::map<std::string, std::unique_ptr<Source>> sources_;  // by path and name
  std::vector<std::unique_ptr<User>> users_;
  User* compiling_ = nullptr;  // whose references are being looked up
  CompileScope* scope_ = nullptr;
  bool hide_sources_ = false;
  stats::Registry* registry_ = nullptr;  // since start()
  stats::WorkerCells* cells_ = nullptr;
  Function<WallTime()> now_;
};

}  // namespace sluice::config
