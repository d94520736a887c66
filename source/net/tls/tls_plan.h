// DownstreamTlsContext and UpstreamTlsContext as plans: what filter chains and clusters hold. The certificates in them
// may be replaced while they serve.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "net/tls/certificate_details.h"
#include "net/tls/tls_options.h"
#include "net/transport_socket.h"

namespace sluice::net::tls {

class Context;
class ServerContext;
class ClientContext;

// A context that can be replaced: new connections take the new one, others keep theirs. Null: its secrets are not here
// yet. Thread: any.
template <typename T>
class ContextSlot {
 public:
  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  void set(std::shared_ptr<const T> context) {
    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
    updates_.fetch_add(1, std::memory_order_relaxed);
  }
  // How often it was replaced or set.
  uint64_t updates() const { return updates_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> context_;
  std::atomic<uint64_t> updates_{0};
};

// What the two kinds of plans have in common. Thread: any; updates on main.
class TlsPlan : public TransportSocketPlan {
 public:
  bool is_tls() const override { return true; }
  // For /certs; empty while the secrets are missing.
  virtual ContextDetails details() const = 0;
  virtual bool ready() const = 0;
};

class ServerPlan final : public TlsPlan {
 public:
  ServerPlan();
  ~ServerPlan() override;
  // Makes a context; calling the result puts it in force. Until then, and after an error, the old one stays.
  Result<Function<void()>> prepare(const ServerOptions& options);
  std::unique_ptr<TransportSocket> on_worker(const TransportScope& scope, std::string_view stat_prefix) const override;
  ContextDetails details() const override;
  bool ready() const override { return slot_->get() != nullptr; }

 private:
  std::shared_ptr<ContextSlot<ServerContext>> slot_;
};

class ClientPlan final : public TlsPlan {
 public:
  ClientPlan();
  ~ClientPlan() override;
  Result<Function<void()>> prepare(const ClientOptions& options);
  std::unique_ptr<TransportSocket> on_worker(const TransportScope& scope, std::string_view stat_prefix) const override;
  ContextDetails details() const override;
  bool ready() const override { return slot_->get() != nullptr; }

 private:
  std::shared_ptr<ContextSlot<ClientContext>> slot_;
};

}  // namespace sluice::net::tls
