// SimGrpcPeer: a server of HTTP/2 in the simulation that answers by what the path asks for:
//
//   /echo       each message comes back; the end brings status 0
//   /refuse     trailers alone: status 7, "no entry"
//   /http/NNN   an HTTP status and nothing else
//   /silent     nothing
//   /untold     a message, then an end without a status
//   /squeezed   a message that says it is compressed
//   /reset      RST_STREAM behind the headers
//   /big/N      one message of N bytes, then status 0
//   anything    200 with the request's body
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/strings.h"
#include "http/grpc.h"
#include "http/http2/server_codec.h"
#include "net/outbox.h"
#include "stats/registry.h"
#include "test/sim/sim_peers.h"

namespace sluice::test {

// Thread: the simulation's.
class SimGrpcPeer {
 public:
  struct Request {
    std::string path;
    std::string authority;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    uint64_t connection = 0;
    bool ended = false;
    bool reset = false;
    std::string get(std::string_view name) const {
      for (const auto& [key, value] : fields) {
        if (key == name) return value;
      }
      return "<none>";
    }
  };

  SimGrpcPeer(SimMachine& machine, const net::Address& address) : machine_(machine), address_(address) { start(); }
  ~SimGrpcPeer() { stop(); }

  void start() {
    socket_ = std::move(*machine_.network.bind(address_, {}, 1));
    acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
      connections_.push_back(std::make_unique<Connection>(*this, std::move(transport), ++made_));
    });
  }
  // Resets whoever is connected.
  void stop() {
    acceptor_.reset();
    socket_.reset();
    connections_.clear();
  }
  void goaway() {
    for (auto& connection : connections_) connection->goaway();
  }

  std::vector<std::shared_ptr<Request>> requests;

 private:
  class Connection final : net::TransportHandler, http::http2::Http2ServerEvents {
   public:
    Connection(SimGrpcPeer& peer, std::unique_ptr<net::Transport> transport, uint64_t number)
        : peer_(peer),
          number_(number),
          transport_(std::move(transport)),
          in_(peer.machine_.slabs),
          out_(peer.machine_.slabs),
          codec_(options_, http2_, 1 << 20, peer.cells_.block<stats::Http2Stat>(peer.stats_),
                 static_cast<http::http2::Http2ServerEvents&>(*this), peer.machine_.slabs) {
      transport_->set_handler(this);
      flush();
    }
    ~Connection() {
      codec_.abandon();
      if (transport_ != nullptr) {
        transport_->close(net::CloseHow::kReset);
        peer_.machine_.loop.destroy_later(std::move(transport_));
      }
    }
    void goaway() {
      codec_.finish_drain();
      flush();
    }

   private:
    struct Active {
      explicit Active(ChunkPool& chunks) : arena(chunks) {}
      Arena arena;
      std::shared_ptr<Request> request;
      bool answered = false;
    };
    void on_ready(net::Ready ready) override {
      if (ready.failed) return gone();
      if (ready.writable) flush();
      if (!ready.readable || transport_ == nullptr) return;
      net::IoStatus status;
      {
        net::ReadLease lease(peer_.machine_.network.read_buffer());
        status = transport_->read(lease, 64 * 1024, in_).status;
        if (codec_.decode(in_) == http::Decoded::kFailed) status = net::IoStatus::kFailed;
        in_.own();
        flush();
      }
      if (status == net::IoStatus::kEof || status == net::IoStatus::kFailed) gone();
    }
    void gone() {
      if (transport_ == nullptr) return;
      for (auto& [id, active] : active_) {
        if (active->request) active->request->reset = true;
      }
      transport_->close(net::CloseHow::kFin);
      peer_.machine_.loop.destroy_later(std::move(transport_));
    }
    void flush() {
      (void)codec_.flush(out_);
      if (transport_ == nullptr) return;
      while (!out_.empty() && transport_->write(out_).status == net::IoStatus::kOk) {
      }
      codec_.sent(out_.size());
      out_.own();
      transport_->want_write(!out_.empty());
    }

    Arena& on_begin(http::StreamId stream) override {
      auto& active = active_[stream];
      if (active == nullptr) active = std::make_unique<Active>(peer_.chunks_);
      return active->arena;
    }
    void on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End end) override {
      Active& active = *active_[stream];
      active.request = std::make_shared<Request>();
      Request& request = *active.request;
      request.path = headers.path;
      request.authority = headers.authority;
      request.connection = number_;
      for (const http::HeaderField& field : headers.fields) {
        request.fields.emplace_back(field.name(), field.value());
      }
      peer_.requests.push_back(active.request);
      begin(stream, active);
      if (end == http::End::kYes) ended(stream);
    }
    void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override {
      Active& active = *active_[stream];
      const std::string bytes = data.to_string();
      active.request->body += bytes;
      if (active.request->path == "/echo" && !active.answered) send(stream, bytes, http::End::kNo);
      if (end == http::End::kYes) ended(stream);
    }
    void on_trailers(http::StreamId stream, http::HeaderMap&) override { ended(stream); }
    void on_reset(http::StreamId stream, const http::StreamReset&) override {
      if (auto& active = active_[stream]; active != nullptr && active->request) {
        active->request->reset = active->answered = true;
      }
    }
    void on_error(http::StreamId, const http::CodecError&) override {}
    void on_stream_full(http::StreamId, bool) override {}
    void on_ping_ack() override {}

    void begin(http::StreamId stream, Active& active) {
      const std::string& path = active.request->path;
      if (path.starts_with("/http/")) {
        head(stream, static_cast<uint16_t>(std::stoi(path.substr(6))), {}, http::End::kYes);
      } else if (path == "/refuse") {
        head(stream, 200, {{"grpc-status", "7"}, {"grpc-message", "no%20entry"}}, http::End::kYes);
      } else if (path == "/untold") {
        head(stream, 200, {}, http::End::kNo);
        send(stream, framed("x"), http::End::kYes);
      } else if (path == "/squeezed") {
        head(stream, 200, {}, http::End::kNo);
        send(stream, std::string("\1\0\0\0\1x", 6), http::End::kNo);
      } else if (path == "/reset") {
        head(stream, 200, {}, http::End::kNo);
        codec_.reset(stream, out_);
      } else if (path.starts_with("/big/")) {
        head(stream, 200, {}, http::End::kNo);
        send(stream, framed(std::string(std::stoul(path.substr(5)), 'b')), http::End::kNo);
        status(stream, "0");
      } else if (path == "/echo") {
        head(stream, 200, {}, http::End::kNo);
      }
    }
    void ended(http::StreamId stream) {
      Active& active = *active_[stream];
      active.request->ended = true;
      if (active.answered || active.request->path == "/silent") return;
      if (active.request->path == "/echo") {
        status(stream, "0");
      } else {
        head(stream, 200, {}, http::End::kNo);
        send(stream, active.request->body, http::End::kYes);
      }
    }
    static std::string framed(const std::string& message) {
      return std::string(http::grpc_prefix(static_cast<uint32_t>(message.size())).view()) + message;
    }
    void head(http::StreamId stream, uint16_t code, std::vector<std::pair<const char*, const char*>> fields,
              http::End end) {
      Arena& arena = active_[stream]->arena;
      http::ResponseHeaders headers(arena);
      headers.status = code;
      for (const auto& [name, value] : fields) headers.fields.add_copy(name, value);
      active_[stream]->answered |= end == http::End::kYes;
      codec_.encode_headers(stream, headers, end, out_);
    }
    void send(http::StreamId stream, const std::string& bytes, http::End end) {
      buffer::Buffer data(peer_.machine_.slabs);
      data.append_copy(bytes);
      active_[stream]->answered |= end == http::End::kYes;
      codec_.encode_data(stream, data, end, out_);
    }
    void status(http::StreamId stream, const char* code) {
      http::HeaderMap trailers(active_[stream]->arena);
      trailers.add("grpc-status", code);
      active_[stream]->answered = true;
      codec_.encode_trailers(stream, trailers, out_);
    }

    SimGrpcPeer& peer_;
    const uint64_t number_;
    std::unique_ptr<net::Transport> transport_;
    buffer::Buffer in_, out_;
    http::CodecOptions options_{.enable_trailers = true};
    http::Http2Options http2_;
    std::map<http::StreamId, std::unique_ptr<Active>> active_;  // they stay: frames may still look at their heads
    http::http2::Http2ServerCodec codec_;
  };

  SimMachine& machine_;
  const net::Address address_;
  Owner owner_{"peer arenas"};
  ChunkPool chunks_{owner_};
  stats::Registry registry_;
  stats::WorkerCells cells_{registry_};
  stats::BlockId stats_ = registry_.add_block<stats::Http2Stat>("peer.");
  uint64_t made_ = 0;
  std::unique_ptr<net::ListenSocket> socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::test
