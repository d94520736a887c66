#include "net/happy_eyeballs.h"

#include <algorithm>
#include <utility>

namespace sluice::net {

std::vector<Address> in_turn(const Address& first, const std::vector<Address>& others, const FamilyOrder& order) {
  const AddressKind family = order.first == AddressKind::kNone ? first.kind() : order.first;
  std::vector<Address> preferred, rest, out;
  (first.kind() == family ? preferred : rest).push_back(first);
  for (const Address& one : others) {
    (one.kind() == family ? preferred : rest).push_back(one);
  }
  out.reserve(preferred.size() + rest.size());
  auto at = preferred.begin();
  auto other = rest.begin();
  while (at != preferred.end() || other != rest.end()) {
    for (uint32_t i = 0; i < order.count && at != preferred.end(); ++i) {
      out.push_back(*at++);
    }
    if (other != rest.end()) {
      out.push_back(*other++);
    }
  }
  return out;
}

// One address that is tried. Thread: its loop's.
struct HappyEyeballs::Try final : TransportHandler {
  Try(HappyEyeballs& the_race, std::unique_ptr<Transport> the_transport)
      : race(the_race), transport(std::move(the_transport)) {
    transport->set_handler(this);
  }
  void on_ready(Ready ready) override { race.on_ready(*this, ready); }

  HappyEyeballs& race;
  std::unique_ptr<Transport> transport;  // null: it has failed
};

HappyEyeballs::HappyEyeballs(event::Loop& loop, std::vector<Address> addresses, Connect connect)
    : loop_(loop),
      addresses_(std::move(addresses)),
      connect_(std::move(connect)),
      delay_(loop.timers(), [this] { try_next(); }) {
  SLUICE_CHECK(!addresses_.empty());
  tries_.reserve(addresses_.size());
  try_next();
}

HappyEyeballs::~HappyEyeballs() { close(CloseHow::kFin); }

void HappyEyeballs::try_next() {
  tries_.push_back(std::make_unique<Try>(*this, connect_(addresses_[next_++])));
  if (next_ < addresses_.size()) {
    delay_.arm(kDelay);
  } else {
    delay_.cancel();
  }
}

void HappyEyeballs::on_ready(Try& one, Ready ready) {
  if (ready.connected) {
    finish(one, ready);
    return;
  }
  if (!ready.failed) {
    return;
  }
  if (next_ < addresses_.size()) {
    give_up(std::exchange(one.transport, nullptr));
    try_next();
    return;
  }
  const auto runs = [](const auto& other) { return other->transport != nullptr; };
  if (std::count_if(tries_.begin(), tries_.end(), runs) > 1) {
    give_up(std::exchange(one.transport, nullptr));
    return;
  }
  finish(one, ready);
}

void HappyEyeballs::finish(Try& one, Ready ready) {
  delay_.cancel();
  winner_ = std::move(one.transport);
  for (const auto& other : tries_) {
    if (other->transport != nullptr) {
      give_up(std::move(other->transport));
    }
  }
  winner_->set_handler(handler_);
  if (handler_ != nullptr) {
    handler_->on_ready(ready);
  }
}

// It may be on the stack.
void HappyEyeballs::give_up(std::unique_ptr<Transport> transport) {
  transport->close(CloseHow::kFin);
  loop_.destroy_later(std::move(transport));
}

void HappyEyeballs::set_handler(TransportHandler* handler) {
  handler_ = handler;
  if (winner_ != nullptr) {
    winner_->set_handler(handler);
  }
}

void HappyEyeballs::close(CloseHow how) {
  if (std::exchange(closed_, true)) {
    return;
  }
  delay_.cancel();
  for (const auto& one : tries_) {
    if (one->transport != nullptr) {
      one->transport->close(how);
    }
  }
  if (winner_ != nullptr) {
    winner_->close(how);
  }
}

// ---- as the winner; before there is one nothing comes and nothing goes

IoResult HappyEyeballs::read(ReadLease& lease, size_t max, buffer::Buffer& into) {
  return winner_ != nullptr ? winner_->read(lease, max, into)
                            : IoResult{closed_ ? IoStatus::kFailed : IoStatus::kAgain};
}

IoResult HappyEyeballs::write(buffer::Buffer& from) {
  return winner_ != nullptr ? winner_->write(from) : IoResult{closed_ ? IoStatus::kFailed : IoStatus::kAgain};
}

void HappyEyeballs::want_read(bool on) {
  if (winner_ != nullptr) winner_->want_read(on);
}

void HappyEyeballs::want_write(bool on) {
  if (winner_ != nullptr) winner_->want_write(on);
}

void HappyEyeballs::shutdown_write() {
  if (winner_ != nullptr) winner_->shutdown_write();
}

const Address& HappyEyeballs::local() const {
  static const Address kNone;
  return winner_ != nullptr ? winner_->local() : kNone;
}

const Address& HappyEyeballs::remote() const { return winner_ != nullptr ? winner_->remote() : addresses_.front(); }

std::string_view HappyEyeballs::failure() const { return winner_ != nullptr ? winner_->failure() : std::string_view(); }

std::string_view HappyEyeballs::alpn() const { return winner_ != nullptr ? winner_->alpn() : std::string_view(); }

const TlsFacts* HappyEyeballs::tls() const { return winner_ != nullptr ? winner_->tls() : nullptr; }

uint64_t HappyEyeballs::written() const { return winner_ != nullptr ? winner_->written() : 0; }

bool HappyEyeballs::nothing_arrived_since(uint64_t mark) const {
  return winner_ != nullptr && winner_->nothing_arrived_since(mark);
}

}  // namespace sluice::net
