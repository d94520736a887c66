#include "test/sim/sim_grpc_server.h"

#include <map>
#include <utility>

#include "http/http2/server_codec.h"

namespace sluice::test {

class SimGrpcServer::Connection final : net::TransportHandler, http::http2::Http2ServerEvents {
 public:
  Connection(SimGrpcServer& server, std::unique_ptr<net::Transport> transport)
      : server_(server),
        transport_(std::move(transport)),
        in_(server.machine_.slabs),
        out_(server.machine_.slabs),
        codec_(options_, http2_, 1 << 20, server.cells_.block<stats::Http2Stat>(server.stats_),
               static_cast<http::http2::Http2ServerEvents&>(*this), server.machine_.slabs) {
    transport_->set_handler(this);
    transport_->want_read(server.reading_);
    flush();
  }
  ~Connection() { gone(net::CloseHow::kReset); }

  void read(bool on) {
    if (transport_ != nullptr) transport_->want_read(on);
  }
  void send(Call& call, std::string_view message) {
    buffer::Buffer data(server_.machine_.slabs);
    data.append_copy(http::grpc_prefix(static_cast<uint32_t>(message.size())).view());
    data.append_copy(message);
    codec_.encode_data(call.stream_, data, http::End::kNo, out_);
    soon([this, call = calls_[call.stream_]] {
      flush();
      tell(server_.hooks_.on_sent, call);
    });
  }
  void end(Call& call, const char* status) {
    http::HeaderMap trailers(call.arena);
    trailers.add("grpc-status", status);
    codec_.encode_trailers(call.stream_, trailers, out_);
    call.connection_ = nullptr;
    soon([this] { flush(); });
  }

 private:
  using Hook = std::function<void(const CallPtr&)>;
  static void tell(const Hook& hook, const CallPtr& call) {
    if (hook != nullptr) hook(call);
  }
  // In a later turn, if we are still here then.
  void soon(Function<void()> work) {
    server_.machine_.loop.post([alive = std::weak_ptr(alive_), work = std::move(work)]() mutable {
      if (!alive.expired()) work();
    });
  }
  void on_ready(net::Ready ready) override {
    if (ready.failed) return gone(net::CloseHow::kFin);
    if (ready.writable) flush();
    if (!ready.readable || transport_ == nullptr || !server_.reading_) return;
    net::IoStatus status;
    {
      net::ReadLease lease(server_.machine_.network.read_buffer());
      status = transport_->read(lease, 64 * 1024, in_).status;
      if (codec_.decode(in_) == http::Decoded::kFailed) status = net::IoStatus::kFailed;
      in_.own();
      flush();
    }
    if (status == net::IoStatus::kEof || status == net::IoStatus::kFailed) gone(net::CloseHow::kFin);
  }
  void gone(net::CloseHow how) {
    if (transport_ == nullptr) return;
    alive_.reset();
    codec_.abandon();
    for (auto& [stream, call] : calls_) broken(call);
    transport_->close(how);
    server_.machine_.loop.destroy_later(std::move(transport_));
  }
  void flush() {
    if (transport_ == nullptr) return;
    (void)codec_.flush(out_);
    while (!out_.empty() && transport_->write(out_).status == net::IoStatus::kOk) {
    }
    codec_.sent(out_.size());
    out_.own();
    transport_->want_write(!out_.empty());
  }

  Arena& on_begin(http::StreamId stream) override {
    auto& arena = arenas_[stream];
    if (arena == nullptr) arena = std::make_unique<Arena>(server_.chunks_);
    return *arena;
  }
  void on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End end) override {
    const CallPtr call = std::make_shared<Call>(server_.chunks_, std::string(headers.path));
    calls_[stream] = call;
    call->connection_ = this;
    call->stream_ = stream;
    http::ResponseHeaders answer(call->arena);
    answer.status = 200;
    answer.fields.add("content-type", "application/grpc");
    codec_.encode_headers(stream, answer, http::End::kNo, out_);
    tell(server_.hooks_.on_open, call);
    if (end == http::End::kYes) tell(server_.hooks_.on_end, call);
  }
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override {
    const CallPtr call = calls_[stream];
    while (call->decoder_.next(data) == http::GrpcDecoder::Found::kMessage) {
      server_.hooks_.on_message(call, call->decoder_.message());
    }
    data.clear();
    if (end == http::End::kYes) tell(server_.hooks_.on_end, call);
  }
  void on_trailers(http::StreamId stream, http::HeaderMap&) override { tell(server_.hooks_.on_end, calls_[stream]); }
  void on_reset(http::StreamId stream, const http::StreamReset&) override {
    if (const auto found = calls_.find(stream); found != calls_.end()) broken(found->second);
  }
  void on_error(http::StreamId, const http::CodecError&) override {}
  void on_stream_full(http::StreamId, bool) override {}
  void on_ping_ack() override {}

  void broken(const CallPtr& call) {
    call->connection_ = nullptr;
    tell(server_.hooks_.on_break, call);
  }

  SimGrpcServer& server_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::unique_ptr<net::Transport> transport_;
  buffer::Buffer in_, out_;
  http::CodecOptions options_{.enable_trailers = true};
  http::Http2Options http2_;
  // They stay: frames may still look at their heads.
  std::map<http::StreamId, std::unique_ptr<Arena>> arenas_;
  std::map<http::StreamId, CallPtr> calls_;
  http::http2::Http2ServerCodec codec_;
};

void SimGrpcServer::Call::send(std::string_view message) {
  if (connection_ != nullptr) connection_->send(*this, message);
}

void SimGrpcServer::Call::end(const char* status) {
  if (connection_ != nullptr) connection_->end(*this, status);
}

SimGrpcServer::SimGrpcServer(SimMachine& machine, const net::Address& address, Hooks hooks)
    : machine_(machine), address_(address), hooks_(std::move(hooks)) {}

SimGrpcServer::~SimGrpcServer() { stop(); }

void SimGrpcServer::start() {
  socket_ = std::move(*machine_.network.bind(address_, {}, 1));
  acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
    connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
  });
}

void SimGrpcServer::stop() {
  acceptor_.reset();
  socket_.reset();
  connections_.clear();
}

void SimGrpcServer::read(bool on) {
  reading_ = on;
  for (auto& connection : connections_) connection->read(on);
}

}  // namespace sluice::test
