// Mirrors: copies of a request that go to other clusters, whose answers nobody sees.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/route/v3/route_components.proto (RequestMirrorPolicy)
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/intrusive_list.h"
#include "buffer/buffer.h"
#include "event/loop.h"
#include "model/route_action.h"
#include "proxy/filter.h"
#include "upstream/cluster_handle.h"
#include "upstream/pool.h"
#include "upstream/stream.h"

namespace sluice::filters::router {

class MirrorSet;
struct MirrorFeed;  // the list of those that still take the request

// One copy. It streams as the request comes; one that cannot keep up is cut: a slow mirror costs no more than its
// cluster's buffer limit. Lives until its answer is complete, in the set of its worker; destroys itself. Thread:
// worker.
class Mirror final : public event::Deferred,
                     public IntrusiveNode<MirrorSet>,
                     public IntrusiveNode<MirrorFeed>,
                     private upstream::PoolRequest,
                     private upstream::StreamUser {
 public:
  Mirror(upstream::WorkerLocal& local, upstream::Cluster& cluster, upstream::Pool& pool, Duration timeout);
  ~Mirror() override;

  // To be filled before start().
  http::RequestHeaders& headers() { return *headers_; }
  void start(uint8_t priority, http::End end);
  void send_data(const buffer::Buffer& data, http::End end);
  void send_trailers(const http::HeaderMap& trailers);
  // The request will never be complete.
  void cut();
  bool over() const { return over_; }

 private:
  // upstream::PoolRequest
  void on_stream(upstream::UpstreamStream& stream) override;
  void on_no_stream(upstream::ResetReason reason, std::string_view details) override;
  upstream::StreamUser& user() override { return *this; }
  // upstream::StreamUser
  Arena& response_arena() override { return arena_; }
  void on_interim(http::ResponseHeaders&) override {}
  void on_response_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_response_data(buffer::Buffer& data, http::End end) override;
  void on_response_trailers(http::HeaderMap&) override { answered_whole(); }
  void on_stream_reset(upstream::ResetReason reason, std::string_view details) override;
  void on_request_full(bool) override {}
  size_t response_room() const override { return 64 * 1024; }

  void failed(upstream::Outcome outcome, uint16_t status);
  void request_ended();
  void answered_whole();
  void end();
  upstream::AnswerOf answer_of() const;
  size_t room() const;

  upstream::WorkerLocal& local_;
  upstream::Cluster& cluster_;
  upstream::ClusterHandle held_;  // cluster_
  upstream::Pool& pool_;
  upstream::PoolPin pin_;
  Arena arena_;
  http::RequestHeaders* headers_;
  const http::HeaderMap* trailers_ = nullptr;
  upstream::UpstreamStream* stream_ = nullptr;
  buffer::Buffer waiting_;  // body that came before the stream
  const Duration timeout_;
  MonotonicTime request_end_{};
  event::Timer deadline_;
  bool headers_only_ = false;
  bool ended_ = false;  // the request is complete
  bool answered_ = false;
  bool over_ = false;
};

// The mirrors of one connection manager on one worker; those that are left end with it. Thread: worker.
class MirrorSet final {
 public:
  ~MirrorSet();
  // Null when the copy goes nowhere: not in the fraction, no such cluster, no host.
  Mirror* begin(const model::MirrorPolicy& policy, proxy::Exchange& exchange, Duration timeout);

 private:
  const std::string& machine_ip();

  IntrusiveList<Mirror, MirrorSet> mirrors_;
  std::string machine_ip_;
};

}  // namespace sluice::filters::router
