#include "proxy/pending_connection.h"

#include <algorithm>

#include "net/replay_transport.h"
#include "proxy/listener.h"

namespace sluice::proxy {

using stats::ListenerStat;

namespace {
// Filters look at heads; who needs to see more than this is refused. (A ClientHello has at most 16 KiB.)
constexpr size_t kMostSeen = 64 * 1024;
}  // namespace

PendingConnection::PendingConnection(Listener& listener, std::unique_ptr<net::Transport> transport,
                                     AcceptedPtr accepted)
    : listener_(listener),
      transport_(std::move(transport)),
      accepted_(std::move(accepted)),
      seen_(listener.worker().slabs),
      timer_(listener.worker().loop.timers(), [this] { on_timeout(); }) {
  listener_.block().inc(ListenerStat::kDownstreamPreCxActive);
}

PendingConnection::~PendingConnection() { SLUICE_DCHECK(over_); }

void PendingConnection::start() {
  transport_->set_handler(this);
  run();
  if (passing_ && !over_) {
    pass_on();
  } else if (!over_ && listener_.frame().filters_timeout.count() > 0) {
    timer_.arm(listener_.frame().filters_timeout);
  }
}

void PendingConnection::on_ready(net::Ready ready) {
  if (ready.readable && !over_) {
    read();
  } else if (ready.failed && !over_) {
    client_gone();
  }
  if (passing_ && !over_) {
    pass_on();  // outside of the read lease: whoever serves reads at once
  }
}

void PendingConnection::read() {
  net::ReadLease lease(listener_.worker().network.read_buffer());
  const net::IoResult result = transport_->read(lease, kMostSeen, seen_);
  seen_.own();
  if (seen_.size() >= wanted_ && result.bytes > 0) {
    run();
  }
  if (!over_ && !passing_ && (result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed)) {
    client_gone();
  }
}

// From the filter at which it stopped, as far as the bytes go.
void PendingConnection::run() {
  const auto& filters = listener_.filters();
  while (filter_ < filters.size()) {
    const ListenerFilterEntry& entry = filters[filter_];
    const bool shown = wanted_ != 0;
    Need need = Need::done();
    if (shown) {
      need = entry.filter->on_bytes(*accepted_, seen_.linearize(seen_.size()));
    } else if (!entry.plan->disabled.matches(accepted_->local())) {
      need = entry.filter->on_accept(*accepted_);
    }
    switch (need.what()) {
      case Need::What::kDone:
        seen_.drain(need.count());
        ++filter_;
        wanted_ = 0;
        break;
      case Need::What::kBytes:
        wanted_ = std::max(need.count(), shown ? seen_.size() + 1 : 1);
        if (wanted_ > kMostSeen) {
          refuse();
          return;
        }
        if (seen_.size() < wanted_) {
          return;
        }
        break;
      case Need::What::kRefuse:
        refuse();
        return;
    }
  }
  passing_ = true;
}

void PendingConnection::refuse() {
  transport_->close(seen_.empty() ? net::CloseHow::kFin : net::CloseHow::kReset);
  leave();
}

void PendingConnection::client_gone() {
  listener_.filters()[filter_].filter->on_client_gone(*accepted_);
  listener_.block().inc(ListenerStat::kDownstreamListenerFilterRemoteClose);
  leave();
}

void PendingConnection::on_timeout() {
  listener_.block().inc(ListenerStat::kDownstreamPreCxTimeout);
  if (!listener_.frame().continue_after_timeout) {
    refuse();
    return;
  }
  passing_ = true;
  pass_on();
}

void PendingConnection::close() {
  transport_->close(net::CloseHow::kFin);
  leave();
}

void PendingConnection::pass_on() {
  transport_->set_handler(nullptr);
  std::unique_ptr<net::Transport> transport = std::move(transport_);
  AcceptedPtr accepted = std::move(accepted_);
  net::ReplayTransport* replay = nullptr;
  const Found* known = accepted->known();
  const bool moved = known != nullptr && (known->remote.kind() != net::AddressKind::kNone ||
                                          known->local.kind() != net::AddressKind::kNone);
  if (!seen_.empty() || moved) {
    const net::Address none;
    auto wrapped =
        std::make_unique<net::ReplayTransport>(std::move(transport), std::move(seen_), moved ? known->remote : none,
                                               moved ? known->local : none, listener_.worker().loop);
    replay = wrapped.get();
    transport = std::move(wrapped);
  }
  Listener& listener = listener_;
  leave();
  listener.pass_on(std::move(transport), std::move(accepted));
  if (replay != nullptr) {
    replay->deliver();
  }
}

void PendingConnection::leave() {
  over_ = true;
  timer_.cancel();
  unlink();
  listener_.block().dec(ListenerStat::kDownstreamPreCxActive);
  if (transport_ != nullptr) {
    transport_->close(net::CloseHow::kFin);
    accepted_.reset();
  }
  listener_.worker().loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

}  // namespace sluice::proxy
