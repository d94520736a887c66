// RawStream: the upstream of a CONNECT, or of a POST, that ends here (connect_config), or of any request to a cluster
// whose upstream_config says so: plain bytes on a connection of its own, behind the face of a stream. The answer is
// made here, as soon as there is a connection.
#pragma once

#include <cstdint>
#include <string_view>

#include "event/loop.h"
#include "net/read_gate.h"
#include "upstream/cluster.h"
#include "upstream/pool.h"
#include "upstream/raw_connection.h"
#include "upstream/stream.h"

namespace sluice::filters::router {

// Lives in the exchange's arena, beside its attempt. Thread: worker.
class RawStream final : public upstream::UpstreamStream, private upstream::ByteStreamUser {
 public:
  // `request` gets the stream, or hears that there is none: never inside of start().
  RawStream(upstream::Cluster& cluster, upstream::Host& host, upstream::WorkerLocal& local,
            upstream::PoolRequest& request, const upstream::RawConnection::Client& client);
  ~RawStream() { reset(); }
  void start();

  // upstream::UpstreamStream
  void send_headers(const http::RequestHeaders& headers, http::End end) override;
  void send_data(buffer::Buffer& data, http::End end) override;
  void send_trailers(const http::HeaderMap&) override { finish(); }
  void reset() override;
  net::ReadGate& response_gate() override { return gate_; }
  bool full() const override { return raw_ != nullptr && raw_->room() == 0; }
  size_t room() const override { return raw_ != nullptr ? raw_->room() : 0; }
  const upstream::Host& host() const override { return host_; }
  const net::Address& local_address() const override { return raw_->local_address(); }
  const net::Address& remote_address() const override { return raw_->remote_address(); }
  uint64_t connection_id() const override { return raw_->connection_id(); }
  http::Protocol protocol() const override { return http::Protocol::kHttp11; }
  const net::TlsFacts* tls() const override { return nullptr; }
  bool unread() const override { return false; }
  upstream::ConnectTimes connect_times() const override { return times_; }
  http::ByteMeter bytes() override { return bytes_; }

 private:
  // upstream::ByteStreamUser
  void on_connected() override;
  void on_failed(upstream::ResetReason reason, std::string_view details) override;
  void on_upstream_data(buffer::Buffer& data) override;
  void on_upstream_end() override;
  void on_lost() override;
  void on_upstream_full(bool full) override { user().on_request_full(full); }
  void on_upstream_sent(size_t) override {}
  size_t downstream_room() const override { return request_.user().response_room(); }

  upstream::StreamUser& user() { return request_.user(); }
  void finish();
  void answer();

  upstream::Cluster& cluster_;
  upstream::Host& host_;
  upstream::WorkerLocal& local_;
  upstream::PoolRequest& request_;
  const upstream::RawConnection::Client client_;
  upstream::RawConnection* raw_ = nullptr;  // null: not yet, or over
  upstream::ConnectTimes times_;
  http::ByteMeter bytes_;
  net::ReadGate gate_;
  event::Timer soon_;
  bool answered_ = false;
  bool finished_ = false;  // our side
};

}  // namespace sluice::filters::router
