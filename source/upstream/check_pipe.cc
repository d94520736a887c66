#include "upstream/check_pipe.h"

#include <utility>

namespace sluice::upstream {

CheckPipe::CheckPipe(WorkerLocal& local, CheckPipeUser& user)
    : local_(local), user_(user), in_(local.slabs), out_(local.slabs) {}

void CheckPipe::open(const net::Address& address, const net::ConnectOptions& options, net::TransportSocket* socket,
                     const net::TransportWishes& wishes) {
  open_ = false;
  transport_ = local_.network.connect(address, options);
  if (socket != nullptr) {
    transport_ = socket->connect(std::move(transport_), &wishes);
  }
  transport_->set_handler(this);
}

void CheckPipe::close() {
  if (transport_ == nullptr) {
    return;
  }
  transport_->close(net::CloseHow::kFin);
  local_.loop.destroy_later(std::move(transport_));
  in_.clear();
  out_.clear();
}

void CheckPipe::write() {
  if (transport_ == nullptr) {
    return;
  }
  out_.own();
  // When it fails, reading tells why.
  while (!out_.empty() && transport_->write(out_).status == net::IoStatus::kOk) {
  }
  transport_->want_write(!out_.empty());
}

void CheckPipe::on_ready(net::Ready ready) {
  if (!open_) {
    if (ready.failed) {
      fail();
    } else if (ready.connected) {
      open_ = true;
      user_.on_pipe_open();
    }
    return;
  }
  if (ready.writable) write();
  if (ready.readable) {
    read();
  } else if (ready.failed) {
    fail();
  }
}

void CheckPipe::read() {
  net::IoResult result{};
  {
    net::ReadLease lease(local_.network.read_buffer());
    result = transport_->read(lease, net::ReadBuffer::kBytes, in_);
    if (result.bytes > 0) user_.on_pipe_data(in_);
    in_.own();
  }
  const bool ended = result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed;
  user_.on_pipe_read(ended ? CheckPipeUser::Peer::kEnded : CheckPipeUser::Peer::kStays);
}

void CheckPipe::fail() {
  close();
  user_.on_pipe_failed();
}

}  // namespace sluice::upstream
