// TlsSecrets: the secrets that TLS contexts refer to (of the bootstrap, in files that are watched, from control
// planes), and the contexts that are made anew when one changes.
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

#include "base/function.h"
#include "base/result.h"
#include "config/subscription.h"
#include "config/tls_options_compiler.h"
#include "event/files.h"
#include "model/config_source.h"
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

  // Of static_resources.secrets; it stays where it is until keep_static(), so that errors find its place.
  void add_static(const Secret& secret, CompileScope& scope);
  // The bootstrap is compiled and its messages go: what was added has a copy here from now on.
  void keep_static();
  // A context for the listener or cluster whose stats begin with `stat_prefix`. Null after an error.
  net::TransportSocketPlanPtr add(const Downstream& proto, std::string_view stat_prefix, CompileScope& scope);
  net::TransportSocketPlanPtr add(const Upstream& proto, std::string_view stat_prefix, CompileScope& scope);

  using Subscribe = Function<std::unique_ptr<Subscription>(const model::ConfigSource& source, const std::string& name,
                                                           ResourceUser& user)>;
  // From now on files are watched, control planes are asked, and what happened and happens is counted.
  void start(stats::Registry& registry, stats::WorkerCells& cells, Function<WallTime()> now, Subscribe subscribe);
  // Ends the subscriptions.
  void stop();
  // Calls once it is known what there is for these sockets (null: plain): each secret of theirs came, was refused, or
  // did not come in time; perhaps at once.
  void when_known(const std::vector<const net::TransportSocketPlan*>& plans, Function<void()> hook);
  // Contexts that nobody has any more go, and with the last one of a secret its subscription.
  void forget_unused();

  // A secret that came from a control plane, for /config_dump. A plain value.
  struct Discovered {
    std::string name, version, bytes;  // no bytes: it is still waited for
    WallTime updated{};
  };
  std::vector<Discovered> discovered() const;
  // For /certs.
  std::vector<net::tls::ContextDetails> details() const;
  // The end of the certificate in force that ends first; none: there is no certificate.
  std::optional<WallTime> first_expiry() const;
  // The same of OCSP responses.
  std::optional<WallTime> first_ocsp_expiry() const;

 private:
  struct Loaded;
  struct Source;
  struct User;

  const Secret* find(const Reference& reference, Secret::TypeCase kind) override;
  Source* source_of(const Reference& reference);
  net::TransportSocketPlanPtr add(std::unique_ptr<User> user, std::string_view stat_prefix, CompileScope& scope);
  // Compiles a context of now; the function puts it in force. A null function: a secret is missing.
  Result<Function<void()>> prepare(User& user, CompileScope& scope);
  void begin(User& user, const std::vector<Source*>& sources);
  void begin(Source& source);
  // A control plane sent it. Empty: it is in force; otherwise why not.
  std::string take(Source& source, const ResourceUpdate& update);
  void known(Source& source);
  // The file of a source changed, or one that its secret names.
  void read(Source& source);
  void read_again(Source& source);
  Result<std::unique_ptr<Loaded>> load(const Source& source);
  static Result<std::unique_ptr<Loaded>> load(const Source& source, const Resource& resource);
  Result<void> put_in_force(Source& source);
  void watch(Source& source);
  void watch_secret(Source& source);
  void count(User& user);
  void show(User& user);

  const Extensions& extensions_;
  event::Files* const files_;
  proxy::LogFiles* const logs_;
  std::map<std::pair<std::string, int>, const Secret*> static_;  // by name and kind
  std::vector<std::unique_ptr<const Secret>> kept_;         // what static_ points to, after keep_static()
  std::map<std::string, std::unique_ptr<Source>> sources_;  // by path and name
  std::vector<std::unique_ptr<User>> users_;
  User* compiling_ = nullptr;  // whose references are being looked up
  CompileScope* scope_ = nullptr;
  bool hide_sources_ = false;
  stats::Registry* registry_ = nullptr;  // since start()
  stats::WorkerCells* cells_ = nullptr;
  Function<WallTime()> now_;
  Subscribe subscribe_;
  // Who waits for secrets, and for which.
  struct Waiting {
    std::vector<Source*> sources;
    Function<void()> hook;
  };
  std::vector<Waiting> waiting_;
};

}  // namespace sluice::config
