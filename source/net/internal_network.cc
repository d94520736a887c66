#include "net/internal_network.h"

#include <utility>

#include "net/internal_address.h"

namespace sluice::net {

// Where connections to one listener wait until it accepts them. Thread: worker.
class InternalNetwork::Door {
 public:
  explicit Door(event::Loop& loop) : turn_(loop.timers(), [this] { let_in(per_event_); }) {}

  void open(OnAccept* on_accept, uint32_t per_event) {
    on_accept_ = on_accept;
    per_event_ = per_event;
    wake();
  }
  // Who waits, waits for the next acceptor; when none comes in this turn, it is closed.
  void close(const OnAccept* on_accept) {
    if (on_accept_ == on_accept) {
      on_accept_ = nullptr;
      wake();
    }
  }
  bool open() const { return on_accept_ != nullptr; }
  bool forgotten() const { return !open() && waiting_.empty(); }
  void want(bool on) {
    wanted_ = on;
    wake();
  }
  void arrive(std::unique_ptr<InternalConnection> connection) {
    waiting_.push_back(std::move(connection));
    wake();
  }
  void take_waiting() {
    for (size_t left = waiting_.size(); left > 0 && !waiting_.empty() && open(); --left) {
      accept_one();
    }
  }

 private:
  void wake() {
    if (!waiting_.empty() && (wanted_ || !open())) {
      turn_.arm(Duration(0));
    }
  }
  void let_in(uint32_t most) {
    if (!open()) {
      for (const auto& connection : waiting_) {
        connection->close(CloseHow::kReset);
      }
      waiting_.clear();
      return;
    }
    for (; most > 0 && wanted_ && open() && !waiting_.empty(); --most) {
      accept_one();
    }
    wake();
  }
  void accept_one() {
    std::unique_ptr<InternalConnection> connection = std::move(waiting_.front());
    waiting_.pop_front();
    (*on_accept_)(std::move(connection));
  }

  std::deque<std::unique_ptr<InternalConnection>> waiting_;
  OnAccept* on_accept_ = nullptr;  // its acceptor's; null: nobody accepts
  uint32_t per_event_ = 1;
  bool wanted_ = true;
  event::Timer turn_;
};

class InternalNetwork::DoorAcceptor final : public Acceptor {
 public:
  DoorAcceptor(Door& door, const AcceptOptions& options, OnAccept on_accept)
      : door_(door), on_accept_(std::move(on_accept)) {
    door_.open(&on_accept_, options.per_event);
  }
  ~DoorAcceptor() override { door_.close(&on_accept_); }
  void want_accept(bool on) override { door_.want(on); }
  void take_waiting() override { door_.take_waiting(); }

 private:
  Door& door_;
  OnAccept on_accept_;
};

InternalNetwork::InternalNetwork(event::Loop& loop, Network& below, buffer::SlabPool& slabs, size_t limit)
    : loop_(loop), below_(below), slabs_(slabs), limit_(limit) {}

InternalNetwork::~InternalNetwork() = default;

Result<std::unique_ptr<ListenSocket>> InternalNetwork::bind(const Address& address, const ListenOptions& options,
                                                            uint32_t workers) {
  if (is_internal(address)) {
    return std::unique_ptr<ListenSocket>(std::make_unique<InternalListenSocket>(address));
  }
  return below_.bind(address, options, workers);
}

std::unique_ptr<Acceptor> InternalNetwork::accept(ListenSocket& socket, uint32_t worker, const AcceptOptions& options,
                                                  OnAccept on_accept) {
  if (!is_internal(socket.address())) {
    return below_.accept(socket, worker, options, std::move(on_accept));
  }
  std::erase_if(doors_, [](const auto& one) { return one.second->forgotten(); });
  std::unique_ptr<Door>& door = doors_[socket.address().to_string()];
  if (door == nullptr) {
    door = std::make_unique<Door>(loop_);
  }
  return std::make_unique<DoorAcceptor>(*door, options, std::move(on_accept));
}

std::unique_ptr<Transport> InternalNetwork::connect(const Address& address, const ConnectOptions& options) {
  if (!is_internal(address)) {
    return below_.connect(address, options);
  }
  Door* const door = find(address.to_string());
  if (door == nullptr) {
    return InternalConnection::refused(loop_, slabs_, address);
  }
  auto [ours, theirs] = InternalConnection::make(loop_, slabs_, limit_, address);
  door->arrive(std::move(theirs));
  return std::move(ours);
}

// Names may have slashes: the longest one that is open.
InternalNetwork::Door* InternalNetwork::find(std::string_view address) const {
  for (size_t end = address.rfind('/'); end != std::string_view::npos && end >= kInternalScheme.size();
       end = address.rfind('/', end - 1)) {
    const auto found = doors_.find(address.substr(0, end + 1));
    if (found != doors_.end() && found->second->open()) {
      return found->second.get();
    }
  }
  return nullptr;
}

}  // namespace sluice::net
