// ListenerFilter: looks at a connection before anybody serves it: who the client is, where it wanted to go, what it is
// about to speak. What filters find (Found) decides the filter chain.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "model/listener_plan.h"
#include "proxy/accepted.h"
#include "proxy/chain_server.h"

namespace sluice::proxy {

// What a filter says of a connection. Thread: any.
class [[nodiscard]] Need {
 public:
  enum class What : uint8_t { kDone, kBytes, kRefuse };

  // The next filter. The first `consumed` bytes are this filter's own: nobody sees them again.
  static Need done(size_t consumed = 0) { return {What::kDone, consumed}; }
  // Tell again when at least `total` bytes are there (counted from the first that is shown).
  static Need bytes(size_t total) { return {What::kBytes, total}; }
  // Close it.
  static Need refuse() { return {What::kRefuse, 0}; }

  What what() const { return what_; }
  size_t count() const { return count_; }

 private:
  Need(What what, size_t count) : what_(what), count_(count) {}
  What what_;
  size_t count_;
};

// One for each worker and listener; of a connection it keeps nothing but what stands in the Accepted. Owned by the
// Listener. Thread: worker.
class ListenerFilter {
 public:
  virtual ~ListenerFilter() = default;
  virtual Need on_accept(Accepted& accepted) = 0;
  // `seen`: all bytes so far, also those that were shown before.
  virtual Need on_bytes(Accepted&, std::string_view) { return Need::done(); }
  // The client ended its side, or broke off, while this filter waited for bytes.
  virtual void on_client_gone(Accepted&) {}
};

// What the configuration of a listener filter compiles to. Immutable, shared by all workers. Thread: any.
class ListenerFilterFactory : public model::ListenerFilterConfig {
 public:
  virtual std::unique_ptr<ListenerFilter> on_worker(const ProxyLocal& proxy) const = 0;
};

}  // namespace sluice::proxy
