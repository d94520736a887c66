// NetworkFilter: sees the bytes of a connection before the chain's last filter, which owns the connection, does. A
// connection with network filters is served through a FilteredTransport; without, they cost nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "buffer/buffer.h"
#include "model/listener_plan.h"
#include "proxy/accepted.h"
#include "proxy/chain_server.h"

namespace sluice::proxy {

class FilteredTransport;

// What a hook says of the event it was given. Thread: any.
class [[nodiscard]] NetworkStep {
 public:
  enum class What : uint8_t { kNext, kPause, kClose };

  // The next filter sees it.
  static NetworkStep next() { return {What::kNext, {}}; }
  // Nothing passes this filter until FilteredTransport::resume(); nothing is read meanwhile.
  static NetworkStep pause() { return {What::kPause, {}}; }
  // The connection ends now. `details` is copied into %CONNECTION_TERMINATION_DETAILS%.
  static NetworkStep close(std::string_view details = {}) { return {What::kClose, details}; }

  What what() const { return what_; }
  std::string_view details() const { return details_; }

 private:
  NetworkStep(What what, std::string_view details) : what_(what), details_(details) {}
  What what_;
  std::string_view details_;
};

// One for each connection; owned by its FilteredTransport, so whatever it waits for (a Timer) ends with it. Thread:
// worker.
class NetworkFilter {
 public:
  virtual ~NetworkFilter() = default;
  // Before the last filter knows of the connection.
  virtual NetworkStep on_connection(FilteredTransport&) { return NetworkStep::next(); }
  // Bytes from the client, which it may change; none at the end of the client's side.
  virtual NetworkStep on_data(FilteredTransport&, buffer::Buffer&) { return NetworkStep::next(); }
  // Bytes for the client are about to be sent.
  virtual void on_upstream_data(FilteredTransport&, const buffer::Buffer&) {}
  // Once, when the connection is closed.
  virtual void on_close(FilteredTransport&) {}
};

// Makes the filters of one chain's connections; keeps what they share on a worker. Owned by the Listener. Thread:
// worker.
class NetworkFilterMaker {
 public:
  virtual ~NetworkFilterMaker() = default;
  // Null: this connection does not need it.
  virtual std::unique_ptr<NetworkFilter> make(Accepted& accepted) = 0;
};

// What the configuration of a network filter compiles to, unless it is the last one (TerminalFilter). Immutable, shared
// by all workers. Thread: any.
class NetworkFilterFactory : public model::NetworkFilterPlan {
 public:
  virtual std::unique_ptr<NetworkFilterMaker> on_worker(const ProxyLocal& proxy,
                                                        const ListenerFacts& listener) const = 0;
};

}  // namespace sluice::proxy
