#include "test/player/wire.h"

#include <utility>

#include "base/strings.h"

namespace sluice::player {

Wire::Wire(Stage& stage, test::SimMachine& machine, std::unique_ptr<net::Transport> transport, Of of)
    : stage_(stage),
      machine_(machine),
      transport_(std::move(transport)),
      out_(machine.slabs),
      number_(of == Of::kRunner ? SIZE_MAX : stage.passed.wires.size()),
      connected_(of == Of::kOrigin) {
  if (of != Of::kRunner) {
    stage.passed.wires.emplace_back();
  }
  transport_->set_handler(this);
}

Wire::~Wire() { end(net::CloseHow::kFin); }

std::string Wire::take(size_t bytes) {
  std::string out = buf.substr(0, bytes);
  buf.erase(0, bytes);
  return out;
}

void Wire::write(std::string_view bytes) {
  if (transport_ != nullptr && !closing_ && !half_closing_) {
    if (tls_ != nullptr) {
      tls_->write(bytes);
      send_records();
      return;
    }
    out_.append_copy(bytes);
    flush();
  }
}

void Wire::secure(std::unique_ptr<TlsLayer> tls) {
  tls_ = std::move(tls);
  take_in({});
}

void Wire::send_records() {
  out_.append_copy(tls_->output());
  flush();
}

void Wire::take_in(std::string_view bytes) {
  if (tls_ == nullptr) {
    received += bytes.size();
    buf += bytes;
    return;
  }
  const size_t before = buf.size();
  tls_->take(bytes, buf);
  received += buf.size() - before;
  send_records();
  if (!tls_->failure().empty()) {
    ended = ended.empty() ? cat("tls:", tls_->failure()) : ended;
    close();
  } else if (tls_->peer_finished()) {
    ended = ended.empty() ? "closed" : ended;
    close();
  }
}

void Wire::half_close() {
  if (tls_ == nullptr) {  // TLS has no such thing in Python's transports either
    half_closing_ = true;
    flush();
  }
}

void Wire::close() {
  if (!std::exchange(closing_, true) && tls_ != nullptr) {
    tls_->finish();
    out_.append_copy(tls_->output());
  }
  flush();
}

void Wire::reset() { end(net::CloseHow::kReset); }

void Wire::end(net::CloseHow how) {
  if (transport_ != nullptr) {
    transport_->close(how);
    machine_.loop.destroy_later(std::move(transport_));
  }
  if (ended.empty()) {
    ended = "closed";
  }
}

bool Wire::cut(Cut::Of of, uint64_t passed) {
  const std::optional<Cut>& cut = stage_.passed.cut;
  if (!cut || cut->wire != number_ || cut->of != of || passed < cut->at) {
    return false;
  }
  if (of == Cut::Of::kSent && connected_) {  // what comes before the place still goes out
    buffer::Buffer rest(machine_.slabs);
    rest.append_copy(out_.to_string().substr(0, cut->at - transport_->written()));
    (void)transport_->write(rest);
    out_.clear();
  }
  end(cut->how);
  return true;
}

void Wire::flush() {
  if (transport_ == nullptr) {
    return;
  }
  if (!out_.empty()) {
    const uint64_t before = transport_->written();
    if (cut(Cut::Of::kSent, before + out_.size())) {
      return;
    }
    if (transport_->write(out_).status == net::IoStatus::kFailed) {
      ended = ended.empty() ? "reset" : ended;
      end(net::CloseHow::kFin);
      return;
    }
    if (number_ != SIZE_MAX) {
      stage_.passed.wires[number_].sent += transport_->written() - before;
    }
    transport_->want_write(!out_.empty());
  }
  if (out_.empty() && closing_) {
    end(net::CloseHow::kFin);
  } else if (out_.empty() && half_closing_) {
    transport_->shutdown_write();
  }
}

void Wire::on_ready(net::Ready ready) {
  if (ready.failed) {
    refused_ = !connected_;
    ended = ended.empty() ? "reset" : ended;
    end(net::CloseHow::kFin);
    return;
  }
  connected_ |= ready.connected;
  if (ready.connected || ready.writable) {
    flush();
  }
  if (!ready.readable || transport_ == nullptr) {
    return;
  }
  net::IoStatus status;
  std::string came;
  {
    buffer::Buffer in(machine_.slabs);
    net::ReadLease lease(machine_.network.read_buffer());
    status = transport_->read(lease, net::ReadBuffer::kBytes, in).status;
    came = in.to_string();
    in.clear();
  }
  if (!came.empty()) {
    take_in(came);
    if (number_ != SIZE_MAX && transport_ != nullptr) {
      stage_.passed.wires[number_].received += came.size();
      if (cut(Cut::Of::kReceived, stage_.passed.wires[number_].received)) {
        return;
      }
    }
  }
  if (status == net::IoStatus::kEof && ended.empty()) {
    ended = "closed";  // our own direction stays open
  } else if (status == net::IoStatus::kFailed) {
    ended = ended.empty() ? "reset" : ended;
    end(net::CloseHow::kFin);
  }
}

}  // namespace sluice::player
