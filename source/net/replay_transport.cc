#include "net/replay_transport.h"

#include <algorithm>

namespace sluice::net {

ReplayTransport::ReplayTransport(std::unique_ptr<Transport> inner, buffer::Buffer seen, const Address& remote,
                                 const Address& local, event::Loop& loop)
    : inner_(std::move(inner)), seen_(std::move(seen)), remote_(remote), local_(local), later_(loop.timers(), [this] {
        deliver();
      }) {
  seen_.own();
}

ReplayTransport::~ReplayTransport() { close(CloseHow::kFin); }

void ReplayTransport::set_handler(TransportHandler* handler) {
  handler_ = handler;
  inner_->set_handler(handler == nullptr ? nullptr : static_cast<TransportHandler*>(this));
  if (handler != nullptr) {
    deliver_later();
  }
}

void ReplayTransport::deliver_later() {
  if (!seen_.empty() && read_on_ && !closed()) {
    later_.arm(Duration::zero());
  }
}

// Its handler may close the connection meanwhile; it is destroyed by the loop, later.
void ReplayTransport::deliver() {
  later_.cancel();
  while (!seen_.empty() && read_on_ && handler_ != nullptr && !closed()) {
    Ready ready;
    ready.readable = true;
    handler_->on_ready(ready);
  }
}

IoResult ReplayTransport::read(ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (seen_.empty() || closed()) {
    return inner_->read(lease, max, into);
  }
  // Copied into the thread's buffer, so that the bytes are like any others: borrowed for this dispatch.
  const std::span<char> room = lease.room();
  const size_t bytes = seen_.copy_out(room.data(), std::min({max, room.size(), seen_.size()}));
  into.append_borrowed({room.data(), bytes});
  lease.use(bytes);
  seen_.drain(bytes);
  return {IoStatus::kOk, bytes};
}

void ReplayTransport::want_read(bool on) {
  read_on_ = on;
  inner_->want_read(on);
  if (on && handler_ != nullptr) {
    deliver_later();
  }
}

void ReplayTransport::close(CloseHow how) {
  if (!closed()) {
    later_.cancel();
    // Bytes that nobody read make a close abortive, as they do in the kernel.
    inner_->close(seen_.empty() ? how : CloseHow::kReset);
    seen_.clear();
  }
}

void ReplayTransport::on_ready(Ready ready) {
  // What was seen comes first, also before the news that the connection failed.
  if (!seen_.empty() && read_on_ && ready.failed) {
    ready.readable = true;
  }
  handler_->on_ready(ready);
}

}  // namespace sluice::net
