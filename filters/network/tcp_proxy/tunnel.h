// HttpTunnel: bytes of a client through an HTTP stream: CONNECT, or POST.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/arena.h"
#include "event/loop.h"
#include "format/facts.h"
#include "format/formatter.h"
#include "model/header_rules.h"
#include "proxy/accepted.h"
#include "upstream/byte_stream.h"
#include "upstream/cluster.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::filters::tcp_proxy {

// tunneling_config, compiled. Thread: any (immutable).
struct TunnelPlan {
  std::optional<format::Formatter> hostname;  // always there
  bool post = false;
  std::string path;  // of POST
  // request_id_extension: each tunnel gets an id, under this name in its request; empty: none.
  std::string id_header;
  std::string id_key;  // ... and under this key in the connection's metadata, for logs
  model::HeaderRules headers;
  bool keep_headers = false;   // propagate_response_headers: those of the answer are left in the filter state
  bool keep_trailers = false;  // propagate_response_trailers
};

// A byte stream once the upstream has answered 2xx; any other answer is a failed connect. Destroys itself through the
// loop once closed. Thread: worker.
class HttpTunnel final : public event::Deferred,
                         public upstream::ByteStream,
                         private upstream::PoolRequest,
                         private upstream::StreamUser {
 public:
  // Asks the host's pool. The user may be told before this returns. Owns itself. `client` stays
  // as long as `user`.
  static HttpTunnel* open(const TunnelPlan& plan, upstream::Cluster& cluster, upstream::Host& host,
                          upstream::WorkerLocal& worker, const format::Facts& facts, upstream::ByteStreamUser& user,
                          proxy::Accepted& client);

  void send(buffer::Buffer& data) override;
  void finish() override;
  void close(net::CloseHow how) override;
  void want_read(bool on) override;
  bool sent_all() const override { return true; }
  size_t room() const override { return stream_ != nullptr ? stream_->room() : 0; }
  const net::Address& local_address() const override { return local_; }
  const net::Address& remote_address() const override { return remote_; }
  const net::TlsFacts* tls() const override { return tls_.get(); }
  uint64_t connection_id() const override { return id_; }

 private:
  HttpTunnel(const TunnelPlan& plan, upstream::WorkerLocal& worker, upstream::ByteStreamUser& user,
             proxy::Accepted& client)
      : plan_(plan),
        worker_(worker),
        user_(user),
        client_(client),
        arena_(worker.chunks),
        request_(arena_),
        flushed_(worker.loop.timers(), [this] { check_flushed(); }) {}

  // upstream::PoolRequest
  void on_stream(upstream::UpstreamStream& stream) override;
  void on_no_stream(upstream::ResetReason reason, std::string_view details) override { fail(reason, details); }
  upstream::StreamUser& user() override { return *this; }
  // upstream::StreamUser
  Arena& response_arena() override { return arena_; }
  void on_interim(http::ResponseHeaders&) override {}
  void on_response_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_response_data(buffer::Buffer& data, http::End end) override;
  void on_response_trailers(http::HeaderMap& trailers) override;
  void on_stream_reset(upstream::ResetReason reason, std::string_view details) override;
  void on_request_full(bool full) override { user_.on_upstream_full(full); }
  size_t response_room() const override { return user_.downstream_room(); }

  void add_id();
  void keep(std::string_view name, const http::HeaderMap& fields, uint16_t status);
  void fail(upstream::ResetReason reason, std::string_view details);
  void response_ended();
  void check_flushed();
  void end();

  const TunnelPlan& plan_;
  upstream::WorkerLocal& worker_;
  upstream::ByteStreamUser& user_;
  proxy::Accepted& client_;  // stays until this is over
  Arena arena_;
  http::RequestHeaders request_;
  upstream::UpstreamStream* stream_ = nullptr;  // null: not yet, or over
  net::Address local_, remote_;
  std::shared_ptr<const net::TlsTexts> tls_;
  uint64_t id_ = 0;
  bool open_ = false;      // 2xx came
  bool finished_ = false;  // our side ended
  bool over_ = false;
  size_t whole_room_ = 0;  // of a stream with nothing to send
  event::Timer flushed_;   // HTTP/1: our side has ended, is all of it on its way?
};

}  // namespace sluice::filters::tcp_proxy
