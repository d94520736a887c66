#include "test/sim/sim_control_plane.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "http/grpc.h"
#include "http/http2/server_codec.h"

namespace sluice::test {

namespace {
constexpr size_t kLargestRequest = 1 << 20;
constexpr std::string_view kAggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
}  // namespace

// One discovery stream. Its peer may outlive it, and then says nothing.
class SimControlPlane::Call final : public control_plane::Peer {
 public:
  Call(Connection& connection, http::StreamId stream, ChunkPool& chunks)
      : arena(chunks), connection_(&connection), stream_(stream) {}
  void send(std::string message) override;
  void end(std::string why) override;
  void leave() { connection_ = nullptr; }

  Arena arena;
  http::GrpcDecoder decoder{kLargestRequest};
  uint64_t number = 0;  // 0: not a stream of discovery

 private:
  Connection* connection_;
  const http::StreamId stream_;
};

class SimControlPlane::Connection final : net::TransportHandler, http::http2::Http2ServerEvents {
 public:
  Connection(SimControlPlane& plane, std::unique_ptr<net::Transport> transport)
      : plane_(plane),
        transport_(std::move(transport)),
        in_(plane.machine_.slabs),
        out_(plane.machine_.slabs),
        codec_(options_, http2_, 1 << 20, plane.cells_.block<stats::Http2Stat>(plane.stats_),
               static_cast<http::http2::Http2ServerEvents&>(*this), plane.machine_.slabs) {
    transport_->set_handler(this);
    flush();
  }
  ~Connection() { gone(net::CloseHow::kReset); }

  void send(http::StreamId stream, uint64_t number, const std::string& message) {
    buffer::Buffer data(plane_.machine_.slabs);
    data.append_copy(http::grpc_prefix(static_cast<uint32_t>(message.size())).view());
    data.append_copy(message);
    codec_.encode_data(stream, data, http::End::kNo, out_);
    soon([this, number] {
      flush();
      plane_.clients_->left(number);
    });
  }
  void refuse(http::StreamId stream, Arena& arena, const char* status) {
    http::HeaderMap trailers(arena);
    trailers.add("grpc-status", status);
    codec_.encode_trailers(stream, trailers, out_);
    soon([this] { flush(); });
  }

 private:
  // In a later turn, if we are still here then.
  void soon(Function<void()> work) {
    plane_.machine_.loop.post([alive = std::weak_ptr(alive_), work = std::move(work)]() mutable {
      if (!alive.expired()) {
        work();
      }
    });
  }
  void on_ready(net::Ready ready) override {
    if (ready.failed) {
      gone(net::CloseHow::kFin);
      return;
    }
    if (ready.writable) {
      flush();
    }
    if (!ready.readable || transport_ == nullptr) {
      return;
    }
    net::IoStatus status;
    {
      net::ReadLease lease(plane_.machine_.network.read_buffer());
      status = transport_->read(lease, 64 * 1024, in_).status;
      if (codec_.decode(in_) == http::Decoded::kFailed) {
        status = net::IoStatus::kFailed;
      }
      in_.own();
      flush();
    }
    if (status == net::IoStatus::kEof || status == net::IoStatus::kFailed) {
      gone(net::CloseHow::kFin);
    }
  }
  void gone(net::CloseHow how) {
    if (transport_ == nullptr) {
      return;
    }
    alive_.reset();
    codec_.abandon();
    for (auto& [stream, call] : calls_) {
      close(*call);
    }
    transport_->close(how);
    plane_.machine_.loop.destroy_later(std::move(transport_));
  }
  void close(Call& call) {
    call.leave();
    if (const uint64_t number = std::exchange(call.number, 0); number != 0 && plane_.running()) {
      plane_.clients_->closed(number);
    }
  }
  void flush() {
    if (transport_ == nullptr) {
      return;
    }
    (void)codec_.flush(out_);
    while (!out_.empty() && transport_->write(out_).status == net::IoStatus::kOk) {
    }
    codec_.sent(out_.size());
    out_.own();
    transport_->want_write(!out_.empty());
  }

  Arena& on_begin(http::StreamId stream) override {
    auto& call = calls_[stream];
    if (call == nullptr) {
      call = std::make_shared<Call>(*this, stream, plane_.chunks_);
    }
    return call->arena;
  }
  void on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End) override {
    const std::shared_ptr<Call>& call = calls_[stream];
    http::ResponseHeaders answer(call->arena);
    answer.status = 200;
    answer.fields.add("content-type", "application/grpc");
    codec_.encode_headers(stream, answer, http::End::kNo, out_);
    const std::string_view method = headers.path;
    if (method == cat(kAggregated, "StreamAggregatedResources")) {
      call->number = plane_.clients_->opened(call, "simulated", control_plane::Protocol::kSotw, {});
    } else if (method == cat(kAggregated, "DeltaAggregatedResources")) {
      call->number = plane_.clients_->opened(call, "simulated", control_plane::Protocol::kDelta, {});
    } else {
      refuse(stream, call->arena, "12");
    }
  }
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override {
    const std::shared_ptr<Call> call = calls_[stream];
    while (call->number != 0 && call->decoder.next(data) == http::GrpcDecoder::Found::kMessage) {
      plane_.clients_->received(call->number, call->decoder.message());
    }
    data.clear();
    if (end == http::End::kYes) {
      close(*call);
    }
  }
  void on_trailers(http::StreamId stream, http::HeaderMap&) override { close(*calls_[stream]); }
  void on_reset(http::StreamId stream, const http::StreamReset&) override {
    if (const auto found = calls_.find(stream); found != calls_.end()) {
      close(*found->second);
    }
  }
  void on_error(http::StreamId, const http::CodecError&) override {}
  void on_stream_full(http::StreamId, bool) override {}
  void on_ping_ack() override {}

  SimControlPlane& plane_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::unique_ptr<net::Transport> transport_;
  buffer::Buffer in_, out_;
  http::CodecOptions options_{.enable_trailers = true};
  http::Http2Options http2_;
  std::map<http::StreamId, std::shared_ptr<Call>> calls_;  // they stay: frames may still look at their heads
  http::http2::Http2ServerCodec codec_;
};

void SimControlPlane::Call::send(std::string message) {
  if (connection_ != nullptr) {
    connection_->send(stream_, number, message);
  }
}

void SimControlPlane::Call::end(std::string) {
  if (connection_ != nullptr) {
    connection_->refuse(stream_, arena, "3");
  }
}

SimControlPlane::SimControlPlane(SimMachine& machine, const net::Address& address)
    : machine_(machine), address_(address), files_(machine.loop), directory_(files_, "/plane") {}

SimControlPlane::~SimControlPlane() { stop(); }

std::string SimControlPlane::read() {
  Result<control_plane::WorldPtr> world = directory_.read();
  if (!world) {
    return world.error();
  }
  world_ = std::move(*world);
  if (running()) {
    clients_->set_world(world_);
  }
  return {};
}

void SimControlPlane::start() {
  clients_ = std::make_unique<control_plane::Clients>(world_);
  socket_ = std::move(*machine_.network.bind(address_, {}, 1));
  acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
    connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
  });
}

void SimControlPlane::stop() {
  acceptor_.reset();
  socket_.reset();
  connections_.clear();
  clients_.reset();
}

bool SimControlPlane::in_force() const {
  if (!running() || clients_->all().empty()) {
    return false;
  }
  return std::all_of(clients_->all().begin(), clients_->all().end(),
                     [](const auto& client) { return client.second.stream.in_force(); });
}

}  // namespace sluice::test
