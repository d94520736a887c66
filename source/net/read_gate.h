// ReadGate: the set of reasons not to read one side of an exchange. Open if and only if the set is empty.
#pragma once

#include <bit>
#include <cstdint>

namespace sluice::net {

// Why nothing is read. The admin page prints the names.
enum class Pause : uint8_t {
  kPeerFull,    // what was read could not be passed on: the other side's output is above its high mark
  kConnecting,  // the upstream connection is not there yet
  kSerial,      // HTTP/1: the previous message of this connection is not finished
  kFilter,      // a filter paused the message
  kTryFilter,   // a filter of one of its tries did
};

// Owned by the connection it stops; told about every change from open to closed and back. Thread: worker.
class ReadGate {
 public:
  // `on_change(bool open)` holds one pointer, its owner's: there is a gate in every connection, and two for an
  // exchange.
  template <typename OnChange>
  explicit ReadGate(OnChange on_change)
      : on_change_([](void* owner, bool open) { std::bit_cast<OnChange>(owner)(open); }),
        owner_(std::bit_cast<void*>(on_change)) {}

  void close(Pause reason) { change(reasons_ | bit(reason)); }
  void open(Pause reason) { change(reasons_ & static_cast<uint8_t>(~bit(reason))); }
  bool is_open() const { return reasons_ == 0; }
  bool has(Pause reason) const { return (reasons_ & bit(reason)) != 0; }
  // All reasons go at once, without telling (a new message begins on a connection that was let free).
  void reset() { reasons_ = 0; }

 private:
  static uint8_t bit(Pause reason) { return static_cast<uint8_t>(1u << static_cast<int>(reason)); }
  void change(uint8_t reasons) {
    const bool was_open = reasons_ == 0;
    reasons_ = reasons;
    if (was_open != (reasons == 0)) {
      on_change_(owner_, reasons == 0);
    }
  }

  void (*on_change_)(void* owner, bool open);
  void* owner_;
  uint8_t reasons_ = 0;
};

}  // namespace sluice::net
