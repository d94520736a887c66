#include "test/sim/sim_peers.h"

#include <cstdlib>

namespace sluice::test {

SimTalker::SimTalker(SimLoop& loop, net::Network& network, buffer::SlabPool& slabs,
                     std::unique_ptr<net::Transport> transport)
    : loop_(loop), network_(network), slabs_(slabs), transport_(std::move(transport)), out_(slabs) {
  transport_->set_handler(this);
}

SimTalker::~SimTalker() { close(); }

void SimTalker::send(std::string_view bytes) {
  out_.append_copy(bytes);
  flush();
}

void SimTalker::close(net::CloseHow how) {
  if (transport_ != nullptr) {
    transport_->close(how);
    loop_.destroy_later(std::move(transport_));
    ended_ = true;
  }
}

void SimTalker::read(bool on) {
  if (transport_ != nullptr) {
    transport_->want_read(on);
  }
}

void SimTalker::flush() {
  if (transport_ != nullptr && !out_.empty()) {
    (void)transport_->write(out_);
    transport_->want_write(!out_.empty());
  }
  if (out_.empty() && close_how_) {
    close(*close_how_);
  }
}

void SimTalker::close_when_sent(net::CloseHow how) {
  close_how_ = how;
  flush();
}

void SimTalker::on_ready(net::Ready ready) {
  connected_ |= ready.connected;
  if (ready.failed) {
    close();
    on_ended();
    return;
  }
  if (ready.connected || ready.writable) {
    flush();
  }
  if (!ready.readable || transport_ == nullptr) {  // sending may have failed
    return;
  }
  buffer::Buffer in(slabs_);
  net::IoStatus status;
  {
    net::ReadLease lease(network_.read_buffer());
    status = transport_->read(lease, 64 * 1024, in).status;
    received_ += in.to_string();
    in.clear();
  }
  if (status == net::IoStatus::kEof || status == net::IoStatus::kFailed) {
    close();
  }
  on_received();
}

class SimOrigin::Connection final : public SimTalker {
 public:
  Connection(SimOrigin& origin, std::unique_ptr<net::Transport> transport)
      : SimTalker(origin.machine_.loop, origin.machine_.network, origin.machine_.slabs, std::move(transport)),
        origin_(origin) {}

 private:
  void on_received() override {
    while (true) {
      const size_t end = received_.find("\r\n\r\n");
      if (end == std::string::npos) {
        return;
      }
      const std::string head = received_.substr(0, end + 4);
      const size_t length_at = head.find("content-length: ");
      const size_t length =
          length_at == std::string::npos ? 0 : std::strtoul(head.c_str() + length_at + 16, nullptr, 10);
      if (received_.size() < head.size() + length) {
        return;
      }
      const std::string body = received_.substr(head.size(), length);
      received_.erase(0, head.size() + length);
      ++origin_.requests_;
      send(origin_.respond_(head, body));
    }
  }
  SimOrigin& origin_;
};

SimOrigin::SimOrigin(SimMachine& machine, const net::Address& address, Respond respond)
    : machine_(machine), respond_(std::move(respond)) {
  socket_ = std::move(*machine_.network.bind(address, {}, 1));
  acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
    connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
  });
}

SimOrigin::~SimOrigin() = default;

}  // namespace sluice::test
