// Accepted: one client connection as its listener knows it, from accept() to the line in the listener's access log.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/filter_state.h"
#include "base/metadata.h"
#include "format/facts.h"
#include "model/listener_plan.h"
#include "net/transport.h"

namespace sluice::proxy {

class Listener;

// What listener filters found out by looking at the first bytes, and what network filters say to those behind them.
struct Found {
  std::string server_name;         // SNI, lower case
  std::string transport_protocol;  // "tls"; empty: nobody knows
  std::vector<std::string> application_protocols;
  net::Address remote;  // the client's; kNone: as the socket says
  net::Address local;   // where the client wanted to go; kNone: as the socket says
  Metadata metadata;
  FilterState filter_state;
  std::string termination_details;  // %CONNECTION_TERMINATION_DETAILS%
};

// Owned by whoever serves the connection (a listener filter phase, then a chain server's connection), which tells its
// end. Outlived by its listener, which counts it. Thread: worker.
class Accepted {
 public:
  // `socket` is the transport of the kernel, below everything that wraps it.
  Accepted(Listener& listener, const net::Transport& socket, uint64_t id, MonotonicTime now)
      : listener_(&listener), socket_(socket), id_(id), started_(now) {}
  ~Accepted();
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;

  uint64_t id() const { return id_; }
  const net::Transport& socket() const { return socket_; }
  MonotonicTime started() const { return started_; }
  const model::FilterChainPlan* chain() const { return chain_; }
  // The addresses of the connection, after what PROXY protocol and original destination say.
  const net::Address& remote() const { return pick(&Found::remote, socket_.remote()); }
  const net::Address& local() const { return pick(&Found::local, socket_.local()); }
  const net::Address& direct_remote() const { return socket_.remote(); }
  const net::Address& direct_local() const { return socket_.local(); }
  bool local_restored() const { return found_ != nullptr && found_->local.kind() != net::AddressKind::kNone; }
  std::string_view server_name() const { return found_ == nullptr ? std::string_view() : found_->server_name; }
  // Made when first asked for.
  Found& found();
  const Found* known() const { return found_.get(); }

  // What the listener's log says of the end; whoever serves may add to it.
  format::Flags flags;
  http::Protocol protocol = http::Protocol::kHttp11;
  bool has_protocol = false;
  std::string_view details;  // lives for ever
  uint64_t bytes_received = 0, bytes_sent = 0;

  // Fills in what is known here.
  void describe(format::Facts& facts) const;
  // The connection is gone: counters, and the listener's log with `facts`, which describe() and whoever served filled;
  // without, with what is known here. Nothing happens the second time.
  void end();
  void end(format::Facts& facts);

 private:
  friend class Listener;
  const net::Address& pick(net::Address Found::*member, const net::Address& otherwise) const {
    return found_ == nullptr || (found_.get()->*member).kind() == net::AddressKind::kNone ? otherwise
                                                                                          : found_.get()->*member;
  }

  Listener* listener_;  // the one that serves it: after a hand-over not the one that accepted it
  const net::Transport& socket_;
  const uint64_t id_;
  const MonotonicTime started_;
  const model::FilterChainPlan* chain_ = nullptr;  // null: not (yet) served by one
  std::unique_ptr<Found> found_;
  bool handed_over_ = false;
  bool counts_globally_ = false;  // among the connections that the overload manager limits
  bool ended_ = false;
};

using AcceptedPtr = std::unique_ptr<Accepted>;

}  // namespace sluice::proxy
