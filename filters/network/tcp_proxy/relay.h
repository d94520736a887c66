// Relay: one client connection and its upstream.
//
//   waiting (for the first bytes) --> connecting --connected--> open --both directions ended--> closed
//                                      |     ^  one more attempt   +--reset, time-out--------> closed
//                                      +-----+                     +--client gone, bytes left--> flushing --> closed
//
// Each direction ends on its own: a client that ends its side still gets what the upstream has to say.
#pragma once

#include <memory>
#include <string>

#include "event/loop.h"
#include "filters/network/tcp_proxy/tcp_proxy.h"
#include "net/tls_facts.h"
#include "proxy/byte_server.h"
#include "upstream/byte_stream.h"
#include "upstream/cluster_handle.h"

namespace sluice::filters::tcp_proxy {

// In its server's list. Thread: worker.
class Relay final : public proxy::ByteConnection, private upstream::ByteStreamUser {
 public:
  Relay(TcpServer& server, std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted);

  void cut() override;

 private:
  enum class State : uint8_t { kWaiting, kConnecting, kOpen, kFlushing, kClosed };

  // proxy::ByteConnection: the client
  void on_start() override;
  void on_data(buffer::Buffer& data) override;
  void on_end() override;
  void on_bytes_sent(size_t bytes) override;
  void on_outbox_full(bool full) override;
  bool on_closed(net::CloseHow how, format::Facts& facts) override;
  size_t room() const override;
  // upstream::ByteStreamUser
  void on_connected() override;
  void on_failed(upstream::ResetReason reason, std::string_view details) override;
  void on_upstream_data(buffer::Buffer& data) override;
  void on_upstream_end() override { finish(); }
  void on_lost() override;
  void on_upstream_full(bool full) override;
  void on_upstream_sent(size_t bytes) override;
  size_t downstream_room() const override { return outbox().room(); }

  const Plan& plan() const { return server_.plan(); }
  std::string_view choose_cluster();
  void connect();
  void attempt();
  void open_tunnel(const upstream::Chosen& chosen);
  void refuse(format::Flag flag);
  void close_if_draining();
  void retry();
  void pause_client();
  void touch();
  void on_idle();
  void on_max_duration();
  void check_flushed();
  void fill(format::Facts& facts) const;
  void log(format::LogType type);
  void log_periodically();

  TcpServer& server_;
  State state_ = State::kWaiting;
  bool upstream_full_ = false;
  bool reading_ = true;
  bool drained_ = false;  // it ends because the proxy drains, once what was said has arrived
  uint32_t attempts_ = 0;
  upstream::ClusterHandle cluster_;
  upstream::ClusterHandle via_;            // whose host it is: with an aggregate another one
  const model::LbMatch* match_ = nullptr;  // what the host's metadata must have
  std::shared_ptr<upstream::Host> host_;   // of the last attempt
  struct Earlier {
    std::vector<std::shared_ptr<upstream::Host>> hosts;
    std::vector<format::UpstreamHost> told;  // the same
  };
  std::unique_ptr<Earlier> earlier_;  // of the attempts before; null: there were none
  const char* close_reason_ = "";     // why we close
  upstream::ByteStream* upstream_ = nullptr;
  buffer::Buffer early_;  // came before the upstream
  std::string failure_;   // of the last attempt
  net::Address upstream_local_, upstream_remote_;
  std::shared_ptr<const net::TlsTexts> upstream_tls_;  // for logs; null: none, or nobody tells it
  const uint64_t stream_id_;                           // of %STREAM_ID%
  uint64_t upstream_id_ = 0;
  uint64_t received_ = 0, sent_ = 0;  // of the client, to the client
  uint64_t upstream_sent_ = 0, upstream_received_ = 0;
  uint64_t wire_sent_ = 0;
  MonotonicTime connect_began_ = format::kUnset;
  MonotonicTime connected_ = format::kUnset;
  MonotonicTime last_byte_;
  event::Timer idle_;
  event::Timer max_duration_;
  event::Timer wait_;  // between attempts; then between log lines
};

}  // namespace sluice::filters::tcp_proxy
