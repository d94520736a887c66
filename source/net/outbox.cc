#include "net/outbox.h"

#include "base/buggify.h"

namespace sluice::net {

void FlushQueue::flush_all() {
  while (true) {
    if (AtDispatchEnd* work = work_.pop_front()) {
      work->on_dispatch_end();
    } else if (Outbox* outbox = waiting_.pop_front()) {
      outbox->flush();
    } else {
      return;
    }
  }
}

void FlushQueue::flush_turn() {
  flush_all();
  while (Outbox* outbox = gathering_.pop_front()) {
    outbox->flush();
    flush_all();
  }
}

void Outbox::gather() {
  if (transport_ == nullptr || bytes_.empty()) {
    return;
  }
  unlink();
  if (bytes_.size() >= kGather) {
    queue_.waiting_.push_back(*this);
  } else {
    bytes_.own();
    queue_.gathering_.push_back(*this);
  }
}

void Outbox::flush() {
  if (transport_ == nullptr || bytes_.empty()) {
    return;
  }
  size_t sent = 0;
  if (!blocked_ && buggify::here(buggify::Point::kWriteTakesNothing)) {
    blocked_ = true;
    transport_->want_write(true);
  }
  if (!blocked_) {
    const size_t before = bytes_.size();
    const IoResult result = transport_->write(bytes_);
    sent = before - bytes_.size();
    if (result.status == IoStatus::kFailed) {
      abandon();
      owner_.on_send_failed();
      return;
    }
    blocked_ = !bytes_.empty();
    transport_->want_write(blocked_);
  }
  bytes_.own();
  update_full();
  if (sent > 0) {
    owner_.on_sent(sent);
  }
}

void Outbox::update_full() {
  if (limit_ == 0) {
    return;
  }
  const bool above = bytes_.size() > limit_;
  if (!full_ && (above || (blocked_ && buggify::here(buggify::Point::kGateShutsEarly)))) {
    full_ = true;
    owner_.on_full(true);
  } else if (full_ && bytes_.size() <= limit_ / 2) {
    full_ = false;
    owner_.on_full(false);
  }
}

}  // namespace sluice::net
