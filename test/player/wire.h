// Wire: one end of a connection of a client or an origin: what has arrived, how the peer ended it, and waiting for
// either.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/transport.h"
#include "test/player/stage.h"
#include "test/player/tls_layer.h"
#include "test/sim/sim_peers.h"

namespace sluice::player {

// Reads everything as it comes. Shared by those who talk on it. Destroyed before its machine. Thread: the simulation's.
class Wire final : public net::TransportHandler {
 public:
  // Those of clients and origins are counted in what passed on the stage, and can be cut.
  enum class Of : uint8_t { kRunner, kClient, kOrigin };
  Wire(Stage& stage, test::SimMachine& machine, std::unique_ptr<net::Transport> transport, Of of);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  std::string buf;        // arrived, and not yet taken
  uint64_t received = 0;  // bytes in all
  std::string ended;      // "closed", "reset" or "tls:REASON", by whoever did it; empty while open

  Stage& stage() { return stage_; }
  // Everything from now on is in TLS; begins the handshake.
  void secure(std::unique_ptr<TlsLayer> tls);
  // Bytes can be written: the handshake, if there is one, is done.
  bool open() const { return connected_ && (tls_ == nullptr || tls_->open()); }
  // Null without TLS.
  const TlsLayer* tls() const { return tls_.get(); }

  bool connected() const { return connected_; }
  bool refused() const { return refused_; }
  std::string take(size_t bytes);
  std::string take_all() { return take(buf.size()); }
  // A condition on what has arrived; false when the connection ends or the time is over first.
  Until until(Until::Condition condition, std::optional<Duration> limit) {
    return Until(
        stage_, condition, [this] { return !ended.empty(); }, limit);
  }
  // Until the end; whether it came.
  Until until_end(std::optional<Duration> limit) {
    return Until(
        stage_, [this] { return !ended.empty(); }, {}, limit);
  }
  // How it ended, when something that was waited for did not come.
  std::string why() const { return ended.empty() ? "timeout" : ended; }

  void write(std::string_view bytes);
  void half_close();
  // Once everything is on its way.
  void close();
  void reset();

 private:
  void on_ready(net::Ready ready) override;
  void take_in(std::string_view bytes);
  void send_records();
  void flush();
  // Whether this was the connection and the place.
  bool cut(Cut::Of of, uint64_t passed);
  void end(net::CloseHow how);

  Stage& stage_;
  test::SimMachine& machine_;
  std::unique_ptr<net::Transport> transport_;
  buffer::Buffer out_;
  std::unique_ptr<TlsLayer> tls_;
  const size_t number_;  // among those that are counted
  bool connected_;
  bool refused_ = false;
  bool closing_ = false;
  bool half_closing_ = false;
};

}  // namespace sluice::player
