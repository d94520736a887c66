#include "net/tls/tls_plan.h"

#include "base/strings.h"
#include "net/tls/context.h"
#include "net/tls/tls_stats.h"
#include "net/tls/tls_transport.h"

namespace sluice::net::tls {

namespace {

using stats::TlsFactoryStat;

class ServerSocket final : public TransportSocket {
 public:
  ServerSocket(const TransportScope& scope, std::string_view prefix, std::shared_ptr<ContextSlot<ServerContext>> slot)
      : scope_(scope),
        slot_(std::move(slot)),
        stats_(scope.registry, scope.cells, prefix, "server_ssl_socket_factory") {}

  std::unique_ptr<Transport> accept(std::unique_ptr<Transport> inner, Duration timeout,
                                    Function<void()> on_timeout) override {
    std::shared_ptr<const ServerContext> context = slot_->get();
    if (context == nullptr) {
      stats_.factory().inc(TlsFactoryStat::kDownstreamContextSecretsNotReady);
      return TlsTransport::refuse({scope_, stats_}, std::move(inner));
    }
    return TlsTransport::accept({scope_, stats_}, std::move(inner), std::move(context), timeout, std::move(on_timeout));
  }
  std::unique_ptr<Transport> connect(std::unique_ptr<Transport> inner, const TransportWishes*) override {
    return inner;  // a server's context connects nowhere
  }

 private:
  const TransportScope scope_;
  const std::shared_ptr<ContextSlot<ServerContext>> slot_;
  TlsStats stats_;
};

class ClientSocket final : public TransportSocket {
 public:
  ClientSocket(const TransportScope& scope, std::string_view prefix, std::shared_ptr<ContextSlot<ClientContext>> slot)
      : scope_(scope),
        slot_(std::move(slot)),
        stats_(scope.registry, scope.cells, prefix, "client_ssl_socket_factory") {}

  std::unique_ptr<Transport> accept(std::unique_ptr<Transport> inner, Duration, Function<void()>) override {
    return inner;
  }
  std::unique_ptr<Transport> connect(std::unique_ptr<Transport> inner, const TransportWishes* wishes) override {
    std::shared_ptr<const ClientContext> context = slot_->get();
    if (context == nullptr) {
      stats_.factory().inc(TlsFactoryStat::kUpstreamContextSecretsNotReady);
      return TlsTransport::refuse({scope_, stats_}, std::move(inner));
    }
    TransportWishes all = wishes != nullptr ? *wishes : TransportWishes();
    const ClientOptions& options = context->options();
    const std::string server_name = !all.server_name.empty()                          ? all.server_name
                                    : options.auto_host_sni && !all.host_name.empty() ? all.host_name
                                                                                      : options.sni;
    if (options.auto_sni_san_validation && !server_name.empty() && all.verify_names.empty()) {
      all.verify_names.push_back(server_name);
    }
    return TlsTransport::connect({scope_, stats_}, std::move(inner), std::move(context), server_name, all);
  }

 private:
  const TransportScope scope_;
  const std::shared_ptr<ContextSlot<ClientContext>> slot_;
  TlsStats stats_;
};

template <typename T>
ContextDetails details_of(const ContextSlot<T>& slot) {
  const auto context = slot.get();
  return context != nullptr ? context->details() : ContextDetails();
}

}  // namespace

ServerPlan::ServerPlan() : slot_(std::make_shared<ContextSlot<ServerContext>>()) {}
ServerPlan::~ServerPlan() = default;

Result<Function<void()>> ServerPlan::prepare(const ServerOptions& options) {
  auto context = ServerContext::make(options);
  if (!context) {
    return Error{context.error()};
  }
  return Function<void()>([slot = slot_, context = std::move(*context)]() mutable { slot->set(std::move(context)); });
}

std::unique_ptr<TransportSocket> ServerPlan::on_worker(const TransportScope& scope,
                                                       std::string_view stat_prefix) const {
  return std::make_unique<ServerSocket>(scope, stat_prefix, slot_);
}

ContextDetails ServerPlan::details() const { return details_of(*slot_); }

ClientPlan::ClientPlan() : slot_(std::make_shared<ContextSlot<ClientContext>>()) {}
ClientPlan::~ClientPlan() = default;

Result<Function<void()>> ClientPlan::prepare(const ClientOptions& options) {
  auto context = ClientContext::make(options);
  if (!context) {
    return Error{context.error()};
  }
  return Function<void()>([slot = slot_, context = std::move(*context)]() mutable { slot->set(std::move(context)); });
}

std::unique_ptr<TransportSocket> ClientPlan::on_worker(const TransportScope& scope,
                                                       std::string_view stat_prefix) const {
  return std::make_unique<ClientSocket>(scope, stat_prefix, slot_);
}

ContextDetails ClientPlan::details() const { return details_of(*slot_); }

}  // namespace sluice::net::tls
