#include "config/tls_secrets.h"

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "base/log.h"
#include "base/strings.h"
#include "config/any.h"
#include "config/config_source_compiler.h"
#include "config/message_tree.h"
#include "config/reader.h"
#include "config/validation.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "proxy/access_log/log_files.h"

namespace sluice::config {

using envoy::service::discovery::v3::DiscoveryResponse;
using stats::CertificateStat;
using stats::SdsStat;
using stats::TlsFactoryStat;

namespace {

// What cannot be read at all is a failure, what can be read and is not wanted a rejection.
bool is_unreadable(const std::string& why) { return why.find("has no secret") == std::string::npos; }

}  // namespace

// The content of a file of secrets, with one of them; or the one that a control plane sent.
struct TlsSecrets::Loaded {
  DiscoveryResponse response;
  Secret sent;
  SourceMap map;
  Findings findings;
  const Secret* secret = nullptr;
};

// One secret in one file, or at one control plane.
struct TlsSecrets::Source final : ResourceUser {
  explicit Source(TlsSecrets& its_owner) : owner(its_owner) {}

  std::string on_resources(const ResourceUpdate& update) override { return owner.take(*this, update); }
  void on_rejected(std::string_view) override {
    block().inc(SdsStat::kUpdateAttempt);
    block().inc(SdsStat::kUpdateRejected);
    owner.known(*this);
  }
  void on_failure(std::string_view) override {
    block().inc(SdsStat::kUpdateAttempt);
    block().inc(SdsStat::kUpdateFailure);
  }
  void on_timeout() override {
    block().inc(SdsStat::kUpdateAttempt);
    block().inc(SdsStat::kInitFetchTimeout);
    owner.known(*this);
  }
  stats::Block<SdsStat> block() const { return owner.cells_->block<SdsStat>(id); }

  TlsSecrets& owner;
  model::ConfigSource from;  // kNone: a file
  std::string path, directory, name;
  std::unique_ptr<Subscription> subscription;
  bool known = false;  // what there is: it came, or will not come soon
  std::string version, bytes;
  WallTime updated{};
  std::unique_ptr<Loaded> loaded;  // the last one that was good; null: none yet
  std::vector<User*> users;
  std::unique_ptr<event::Watch> watch, secret_watch;
  std::string watched;  // by secret_watch
  stats::BlockId id;
  uint64_t attempts = 0, successes = 0, failures = 0, rejections = 0, rotations_failed = 0;
};

// One TLS context.
struct TlsSecrets::User {
  const google::protobuf::Message& context() const {
    if (original != nullptr) return *original;
    return std::visit([](const auto& kept) -> const google::protobuf::Message& { return kept; }, proto);
  }

  std::variant<Downstream, Upstream> proto;
  const google::protobuf::Message* original = nullptr;  // of `proto`, while it is added: its fields have places
  std::shared_ptr<net::tls::ServerPlan> server;
  std::shared_ptr<net::tls::ClientPlan> client;
  std::string stat_prefix;
  uint64_t updates = 0;  // by secrets
  stats::BlockId factory_id;
  std::vector<stats::BlockId> gauges;
  std::optional<WallTime> first_expiry, first_ocsp_expiry;
};

TlsSecrets::TlsSecrets(const Extensions& extensions, event::Files* files, proxy::LogFiles* logs)
    : extensions_(extensions), files_(files), logs_(logs) {}

TlsSecrets::~TlsSecrets() = default;

void TlsSecrets::add_static(const Secret& secret, CompileScope& scope) {
  if (secret.type_case() == Secret::TYPE_NOT_SET) {
    scope.error(secret, Secret::kNameFieldNumber, cat("the secret '", secret.name(), "' holds nothing"));
  }
  if (!static_.emplace(std::pair(secret.name(), secret.type_case()), &secret).second) {
    scope.error(secret, Secret::kNameFieldNumber,
                cat("there are two secrets of this kind named '", secret.name(), "'"));
  }
}

void TlsSecrets::keep_static() {
  for (auto& [key, secret] : static_) {
    secret = kept_.emplace_back(std::make_unique<const Secret>(*secret)).get();
  }
}

net::TransportSocketPlanPtr TlsSecrets::add(const Downstream& proto, std::string_view stat_prefix,
                                            CompileScope& scope) {
  auto user = std::make_unique<User>();
  user->proto = proto;
  user->original = &proto;
  user->server = std::make_shared<net::tls::ServerPlan>();
  return add(std::move(user), stat_prefix, scope);
}

net::TransportSocketPlanPtr TlsSecrets::add(const Upstream& proto, std::string_view stat_prefix, CompileScope& scope) {
  auto user = std::make_unique<User>();
  user->proto = proto;
  user->original = &proto;
  user->client = std::make_shared<net::tls::ClientPlan>();
  return add(std::move(user), stat_prefix, scope);
}

net::TransportSocketPlanPtr TlsSecrets::add(std::unique_ptr<User> user, std::string_view stat_prefix,
                                            CompileScope& scope) {
  user->stat_prefix = stat_prefix;
  // First everything but what files hold: that is no matter of the configuration's, and may come later.
  hide_sources_ = true;
  Result<Function<void()>> prepared = prepare(*user, scope);
  hide_sources_ = false;
  user->original = nullptr;
  if (!prepared) return nullptr;
  if (*prepared) (*prepared)();
  std::vector<Source*> sources;
  for (const auto& [key, source] : sources_) {
    if (std::find(source->users.begin(), source->users.end(), user.get()) != source->users.end()) {
      sources.push_back(source.get());
    }
  }
  if (!sources.empty()) begin(*user, sources);
  if (registry_ != nullptr) count(*user);
  net::TransportSocketPlanPtr plan = user->server != nullptr ? net::TransportSocketPlanPtr(user->server) : user->client;
  users_.push_back(std::move(user));
  return plan;
}

// With what is in the files now.
void TlsSecrets::begin(User& user, const std::vector<Source*>& sources) {
  SourceMap map;
  Findings findings;
  CompileScope scope(map, findings, extensions_);
  scope.log_files = logs_;
  auto prepared = prepare(user, scope);
  if (prepared && *prepared) {
    (*prepared)();
    user.updates += sources.size();
  }
  if (prepared) return;
  for (Source* source : sources) {
    if (!source->from && source->successes > 0) {
      --source->successes;
      ++source->rejections;
    }
    SLUICE_LOG(kWarning, kConfig, "secret '", source->name, "' is refused: ", prepared.error());
  }
}

Result<Function<void()>> TlsSecrets::prepare(User& user, CompileScope& scope) {
  compiling_ = &user;
  scope_ = &scope;
  const size_t errors = scope.findings().errors().size();
  Result<Function<void()>> made = Function<void()>();
  const google::protobuf::Message& context = user.context();
  if (user.server != nullptr) {
    const auto options = compile_server_options(static_cast<const Downstream&>(context), *this, scope);
    if (options) made = user.server->prepare(*options);
  } else {
    const auto options = compile_client_options(static_cast<const Upstream&>(context), *this, scope);
    if (options) made = user.client->prepare(*options);
  }
  compiling_ = nullptr;
  scope_ = nullptr;
  if (!made) scope.error(context, made.error());
  if (scope.findings().errors().size() > errors) return Error{scope.findings().errors().back().text};
  return made;
}

const TlsSecrets::Secret* TlsSecrets::find(const Reference& reference, Secret::TypeCase kind) {
  if (!reference.has_sds_config()) {
    const auto found = static_.find(std::pair(reference.name(), kind));
    if (found != static_.end()) return found->second;
    const auto other = static_.lower_bound(std::pair(reference.name(), 0));
    const bool of_another = other != static_.end() && other->first.first == reference.name();
    scope_->error(reference, Reference::kNameFieldNumber,
                  cat("there is no secret '", reference.name(), "' in static_resources.secrets",
                      of_another ? " of the kind that is needed here" : ""));
    return nullptr;
  }
  Source* source = source_of(reference);
  return source != nullptr && source->loaded != nullptr && !hide_sources_ ? source->loaded->secret : nullptr;
}

TlsSecrets::Source* TlsSecrets::source_of(const Reference& reference) {
  using Config = envoy::config::core::v3::ConfigSource;
  const Config& config = reference.sds_config();
  const auto add_user = [this](Source& source) {
    if (std::find(source.users.begin(), source.users.end(), compiling_) == source.users.end()) {
      source.users.push_back(compiling_);
    }
    return &source;
  };
  if (const auto known = sources_.find(cat(bytes_of(config), "\n", reference.name())); known != sources_.end()) {
    return add_user(*known->second);
  }
  std::string path, directory;
  model::ConfigSource from;
  if (config.has_path_config_source()) {
    path = config.path_config_source().path();
    directory = config.path_config_source().watched_directory().path();
  } else if (config.config_source_specifier_case() == Config::kPath) {
    path = config.path();
  } else if (auto compiled = compile_config_source(config, *scope_)) {
    from = std::move(*compiled);
  } else {
    return nullptr;
  }
  auto& source = sources_[cat(from ? bytes_of(config) : path, "\n", reference.name())];
  if (source == nullptr) {
    if (!path.empty()) require_node(config, *scope_);
    source = std::make_unique<Source>(*this);
    source->from = std::move(from);
    source->path = path;
    source->directory = directory;
    source->name = reference.name();
    source->known = !source->from;
    if (source->known && files_ == nullptr && !std::filesystem::exists(path)) {
      scope_->error(config, cat("the file of a secret must be there: '", path, "'"));
    }
    if (source->known && files_ != nullptr) {
      if (auto there = files_->read(path); !there) {
        scope_->error(config, cat("the file of a secret must be there: ", there.error()));
      }
      ++source->attempts;
      if (auto loaded = load(*source)) {
        source->loaded = std::move(*loaded);
        ++source->successes;
      } else {
        ++(is_unreadable(loaded.error()) ? source->failures : source->rejections);
        SLUICE_LOG(kWarning, kConfig, "secret '", source->name, "': ", loaded.error());
      }
    }
    if (registry_ != nullptr) begin(*source);
  }
  return add_user(*source);
}

Result<std::unique_ptr<TlsSecrets::Loaded>> TlsSecrets::load(const Source& source) {
  auto text = files_->read(source.path);
  if (!text) return Error{text.error()};
  auto loaded = std::make_unique<Loaded>();
  const Format format = format_of(source.path);
  read_text(format, *text, source.path, loaded->response, loaded->map, loaded->findings, {});
  validate(loaded->response, loaded->map, loaded->findings);
  if (!loaded->findings.ok()) return Error{loaded->findings.errors().front().to_string()};
  for (const auto& any : loaded->response.resources()) {
    auto content = unpack_as<Secret>(any, loaded->map, loaded->findings);
    if (!content) return Error{content.error()};
    if ((*content)->name() == source.name) loaded->secret = *content;
  }
  if (loaded->secret == nullptr) return Error{cat(source.path, " has no secret '", source.name, "'")};
  return loaded;
}

void TlsSecrets::start(stats::Registry& registry, stats::WorkerCells& cells, Function<WallTime()> now,
                       Subscribe subscribe) {
  registry_ = &registry;
  cells_ = &cells;
  now_ = std::move(now);
  subscribe_ = std::move(subscribe);
  for (const auto& user : users_) count(*user);
  for (const auto& [key, source] : sources_) begin(*source);
}

void TlsSecrets::count(User& user) {
  const std::string_view factory = user.server != nullptr ? "server_ssl_socket_factory." : "client_ssl_socket_factory.";
  user.factory_id = registry_->add_block<TlsFactoryStat>(cat(user.stat_prefix, factory));
  cells_->block<TlsFactoryStat>(user.factory_id).add(TlsFactoryStat::kSslContextUpdateBySds, user.updates);
  show(user);
}

void TlsSecrets::begin(Source& source) {
  source.id = registry_->add_block<SdsStat>(cat("sds.", source.name, "."));
  auto block = source.block();
  if (source.from) {
    block.inc(SdsStat::kUpdateAttempt);
    source.subscription = subscribe_(source.from, source.name, source);
    return;
  }
  block.add(SdsStat::kUpdateAttempt, source.attempts);
  block.add(SdsStat::kUpdateSuccess, source.successes);
  block.add(SdsStat::kUpdateFailure, source.failures);
  block.add(SdsStat::kUpdateRejected, source.rejections);
  watch(source);
  watch_secret(source);
}

void TlsSecrets::stop() {
  waiting_.clear();
  for (const auto& [key, source] : sources_) source->subscription.reset();
}

void TlsSecrets::when_known(const std::vector<const net::TransportSocketPlan*>& plans, Function<void()> hook) {
  Waiting waiting;
  const auto is_meant = [&plans](const User* user) {
    const net::TransportSocketPlan* own =
        user->server != nullptr ? static_cast<const net::TransportSocketPlan*>(user->server.get()) : user->client.get();
    return std::find(plans.begin(), plans.end(), own) != plans.end();
  };
  for (const auto& [key, source] : sources_) {
    if (!source->known && std::any_of(source->users.begin(), source->users.end(), is_meant)) {
      waiting.sources.push_back(source.get());
    }
  }
  if (waiting.sources.empty()) return hook();
  waiting.hook = std::move(hook);
  waiting_.push_back(std::move(waiting));
}

void TlsSecrets::known(Source& source) {
  source.known = true;
  std::vector<Function<void()>> due;
  for (Waiting& waiting : waiting_) {
    std::erase(waiting.sources, &source);
    if (waiting.sources.empty()) due.push_back(std::move(waiting.hook));
  }
  std::erase_if(waiting_, [](const Waiting& waiting) { return waiting.sources.empty(); });
  for (Function<void()>& hook : due) hook();
}

void TlsSecrets::forget_unused() {
  std::erase_if(users_, [this](const std::unique_ptr<User>& user) {
    if (user->server != nullptr ? user->server.use_count() > 1 : user->client.use_count() > 1) return false;
    for (const auto& [key, source] : sources_) std::erase(source->users, user.get());
    for (const stats::BlockId id : user->gauges) registry_->release_block(id);
    registry_->release_block(user->factory_id);
    return true;
  });
  std::erase_if(sources_, [this](const auto& entry) {
    if (!entry.second->users.empty()) return false;
    for (Waiting& waiting : waiting_) std::erase(waiting.sources, entry.second.get());
    registry_->release_block(entry.second->id);
    return true;
  });
}

Result<std::unique_ptr<TlsSecrets::Loaded>> TlsSecrets::load(const Source& source, const Resource& resource) {
  auto loaded = std::make_unique<Loaded>();
  if (!loaded->sent.ParseFromString(resource.body)) return Error{"these bytes are no Secret"};
  add_tree(loaded->sent, loaded->map);
  validate(loaded->sent, loaded->map, loaded->findings);
  if (!loaded->findings.ok()) return Error{loaded->findings.errors().front().to_string()};
  if (loaded->sent.name() != source.name) {
    return Error{cat("the secret is '", loaded->sent.name(), "'; meant is '", source.name, "'")};
  }
  loaded->secret = &loaded->sent;
  return loaded;
}

// The first one of its name counts.
std::string TlsSecrets::take(Source& source, const ResourceUpdate& update) {
  const auto found = std::find_if(update.resources.begin(), update.resources.end(),
                                  [&](const Resource& one) { return one.name == source.name && one.has_body; });
  auto block = source.block();
  if (found == update.resources.end()) {
    // One that is taken away stays: whoever serves with it has no other. One that does not exist need not be waited
    // for.
    if (std::find(update.removed.begin(), update.removed.end(), source.name) != update.removed.end()) {
      block.inc(SdsStat::kUpdateAttempt);
      block.inc(SdsStat::kUpdateSuccess);
      known(source);
    }
    return {};
  }
  block.inc(SdsStat::kUpdateAttempt);
  source.version = found->version.empty() ? update.version : found->version;
  source.updated = now_();
  std::string why;
  if (found->body != source.bytes) {
    auto loaded = load(source, *found);
    if (!loaded) {
      why = loaded.error();
    } else {
      std::swap(source.loaded, *loaded);
      if (auto good = put_in_force(source); good) {
        source.bytes = found->body;
      } else {
        why = good.error();
        std::swap(source.loaded, *loaded);
      }
      watch_secret(source);
    }
  }
  if (why.empty()) {
    block.inc(SdsStat::kUpdateSuccess);
    block.set(SdsStat::kUpdateTime, static_cast<uint64_t>(now_().us / 1000));
    block.set(SdsStat::kVersion, xxhash64(source.version));
  } else {
    block.inc(SdsStat::kUpdateRejected);
    why = cat("secret '", source.name, "': ", why);
    SLUICE_LOG(kWarning, kConfig, why, "; the old one stays");
  }
  known(source);
  return why;
}

std::vector<TlsSecrets::Discovered> TlsSecrets::discovered() const {
  std::vector<Discovered> out;
  for (const auto& [key, source] : sources_) {
    if (source->from) out.push_back({source->name, source->version, source->bytes, source->updated});
  }
  return out;
}

void TlsSecrets::watch(Source& source) {
  const std::string path = source.directory.empty() ? source.path : source.directory + "/";
  auto watch = files_->watch(path, [this, &source] { read(source); });
  if (watch) {
    source.watch = std::move(*watch);
  } else {
    SLUICE_LOG(kWarning, kConfig, "secret '", source.name, "': ", watch.error());
  }
}

// A secret may ask that the files it names are read again when something moves into their directory.
void TlsSecrets::watch_secret(Source& source) {
  std::string path;
  if (source.loaded != nullptr) {
    const Secret& secret = *source.loaded->secret;
    path = secret.has_tls_certificate()      ? secret.tls_certificate().watched_directory().path()
           : secret.has_validation_context() ? secret.validation_context().watched_directory().path()
                                             : std::string();
  }
  if (path == source.watched) return;
  source.watched = path;
  source.secret_watch.reset();
  if (path.empty()) return;
  if (auto watch = files_->watch(path + "/", [this, &source] { read_again(source); })) {
    source.secret_watch = std::move(*watch);
  } else {
    SLUICE_LOG(kWarning, kConfig, "secret '", source.name, "': ", watch.error());
  }
}

void TlsSecrets::read(Source& source) {
  auto block = cells_->block<SdsStat>(source.id);
  block.inc(SdsStat::kUpdateAttempt);
  auto loaded = load(source);
  if (!loaded) {
    block.inc(is_unreadable(loaded.error()) ? SdsStat::kUpdateFailure : SdsStat::kUpdateRejected);
    SLUICE_LOG(kWarning, kConfig, "secret '", source.name, "': ", loaded.error());
    return;
  }
  std::swap(source.loaded, *loaded);
  if (auto good = put_in_force(source); !good) {
    // The first one stays: the files that it names may become good.
    if (*loaded != nullptr) std::swap(source.loaded, *loaded);
    watch_secret(source);
    block.inc(SdsStat::kUpdateRejected);
    SLUICE_LOG(kWarning, kConfig, "secret '", source.name, "' is refused, the old one stays: ", good.error());
    return;
  }
  block.inc(SdsStat::kUpdateSuccess);
  block.set(SdsStat::kUpdateTime, static_cast<uint64_t>(now_().us / 1000));
  watch_secret(source);
}

void TlsSecrets::read_again(Source& source) {
  if (auto good = put_in_force(source); !good) {
    cells_->block<SdsStat>(source.id).inc(SdsStat::kKeyRotationFailed);
    SLUICE_LOG(kWarning, kConfig, "secret '", source.name, "' cannot be read again, the old one stays: ", good.error());
  }
}

Result<void> TlsSecrets::put_in_force(Source& source) {
  std::vector<std::pair<User*, Function<void()>>> ready;
  for (User* user : source.users) {
    Findings findings;
    CompileScope scope(source.loaded->map, findings, extensions_);
    scope.log_files = logs_;
    auto prepared = prepare(*user, scope);
    if (!prepared) return Error{prepared.error()};
    if (*prepared) ready.emplace_back(user, std::move(*prepared));
  }
  for (auto& [user, put] : ready) {
    put();
    cells_->block<TlsFactoryStat>(user->factory_id).inc(TlsFactoryStat::kSslContextUpdateBySds);
    show(*user);
  }
  return {};
}

// The gauges of the certificates that are in force.
void TlsSecrets::show(User& user) {
  for (const stats::BlockId id : user.gauges) registry_->release_block(id);
  user.gauges.clear();
  user.first_expiry.reset();
  user.first_ocsp_expiry.reset();
  const net::tls::ContextDetails details = user.server != nullptr ? user.server->details() : user.client->details();
  const auto gauge = [&](const net::tls::CertificateDetails& certificate) {
    const auto id =
        registry_->add_block<CertificateStat>(cat(user.stat_prefix, "ssl.certificate.", certificate.name, "."));
    cells_->block<CertificateStat>(id).set(CertificateStat::kExpirationUnixTimeSeconds,
                                           static_cast<uint64_t>(certificate.valid_until.us / 1'000'000));
    user.gauges.push_back(id);
    user.first_expiry = std::min(user.first_expiry.value_or(certificate.valid_until), certificate.valid_until);
  };
  for (const auto& ca : details.ca) gauge(ca);
  for (const auto& chain : details.chains) {
    gauge(chain.front());
    if (const auto& ocsp = chain.front().ocsp) {
      user.first_ocsp_expiry = std::min(user.first_ocsp_expiry.value_or(ocsp->expires), ocsp->expires);
    }
  }
}

std::optional<WallTime> TlsSecrets::first_ocsp_expiry() const {
  std::optional<WallTime> first;
  for (const auto& user : users_) {
    if (user->first_ocsp_expiry) first = std::min(first.value_or(*user->first_ocsp_expiry), *user->first_ocsp_expiry);
  }
  return first;
}

std::optional<WallTime> TlsSecrets::first_expiry() const {
  std::optional<WallTime> first;
  for (const auto& user : users_) {
    if (user->first_expiry) first = std::min(first.value_or(*user->first_expiry), *user->first_expiry);
  }
  return first;
}

std::vector<net::tls::ContextDetails> TlsSecrets::details() const {
  std::vector<net::tls::ContextDetails> out;
  for (const auto& user : users_) {
    const bool ready = user->server != nullptr ? user->server->ready() : user->client->ready();
    if (ready) out.push_back(user->server != nullptr ? user->server->details() : user->client->details());
  }
  return out;
}

}  // namespace sluice::config
