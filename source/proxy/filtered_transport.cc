#include "proxy/filtered_transport.h"

#include <algorithm>
#include <utility>

namespace sluice::proxy {

using net::IoResult;
using net::IoStatus;

FilteredTransport::FilteredTransport(std::unique_ptr<net::Transport> inner, AcceptedPtr accepted,
                                     std::vector<std::unique_ptr<NetworkFilter>> filters, upstream::WorkerLocal& worker,
                                     ChainServer& server)
    : inner_(std::move(inner)),
      owned_(std::move(accepted)),
      accepted_(owned_.get()),
      worker_(worker),
      server_(server),
      filters_(std::move(filters)),
      held_(worker.slabs) {}

FilteredTransport::~FilteredTransport() { close(net::CloseHow::kFin); }

void FilteredTransport::start() {
  inner_->set_handler(this);
  run_start();
}

void FilteredTransport::run_start() {
  while (next_ < filters_.size()) {
    const NetworkStep step = filters_[next_++]->on_connection(*this);
    if (step.what() == NetworkStep::What::kClose) {
      close_now(step.details());
      return;
    }
    if (step.what() == NetworkStep::What::kPause) {
      paused_ = true;
      sync_reading();
      return;
    }
  }
  state_ = State::kServing;
  next_ = 0;
  unlink();
  server_.serve(std::unique_ptr<net::Transport>(this), std::move(owned_));
}

void FilteredTransport::resume() {
  if (!paused_ || state_ == State::kClosed) {
    return;
  }
  paused_ = false;
  if (state_ == State::kStarting) {
    sync_reading();
    run_start();
    return;
  }
  if (!run_data(held_)) {
    return;
  }
  sync_reading();
  while ((!held_.empty() || ended_) && read_on_ && !paused_ && state_ == State::kServing) {
    net::Ready ready;
    ready.readable = true;
    handler_->on_ready(ready);
  }
}

// From the filter that is next. False when it does not come to the end: paused or closed.
bool FilteredTransport::run_data(buffer::Buffer& data) {
  while (next_ < filters_.size()) {
    const NetworkStep step = filters_[next_++]->on_data(*this, data);
    if (step.what() == NetworkStep::What::kClose) {
      if (!step.details().empty()) {
        accepted_->found().termination_details = step.details();
      }
      close(net::CloseHow::kFin);
      return false;
    }
    if (step.what() == NetworkStep::What::kPause) {
      paused_ = true;
      if (&data != &held_) {
        held_.move_from(data);
      }
      held_.own();
      sync_reading();
      return false;
    }
  }
  next_ = 0;
  return true;
}

IoResult FilteredTransport::read(net::ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (paused_) {
    return {IoStatus::kAgain};
  }
  if (held_.empty() && std::exchange(ended_, false)) {
    return {IoStatus::kEof};
  }
  if (!held_.empty()) {
    const size_t bytes = std::min(max, held_.size());
    into.move_from(held_, bytes);
    return {IoStatus::kOk, bytes};
  }
  buffer::Buffer fresh(worker_.slabs);
  const IoResult result = inner_->read(lease, max, fresh);
  if (result.bytes == 0 && result.status != IoStatus::kEof) {
    return result;
  }
  if (!run_data(fresh)) {
    ended_ = result.status == IoStatus::kEof && state_ != State::kClosed;
    return {state_ == State::kClosed ? IoStatus::kFailed : IoStatus::kAgain};
  }
  const size_t bytes = fresh.size();
  into.move_from(fresh);
  return {result.status, bytes};
}

IoResult FilteredTransport::write(buffer::Buffer& from) {
  for (auto filter = filters_.rbegin(); filter != filters_.rend(); ++filter) {
    (*filter)->on_upstream_data(*this, from);
  }
  return inner_->write(from);
}

void FilteredTransport::want_read(bool on) {
  read_on_ = on;
  sync_reading();
}

void FilteredTransport::on_ready(net::Ready ready) {
  if (state_ == State::kServing) {
    if (paused_) {
      ready.readable = false;
    }
    handler_->on_ready(ready);
  } else if (state_ == State::kStarting && (ready.failed || ready.peer_closed)) {
    end_unserved(ClosedBy::kPeer);
  }
}

void FilteredTransport::close_now(std::string_view details) {
  if (!details.empty()) {
    accepted_->found().termination_details = details;
  }
  if (state_ == State::kStarting) {
    end_unserved(ClosedBy::kUs);
  } else if (state_ == State::kServing) {
    close(net::CloseHow::kFin);
    net::Ready gone;
    gone.failed = true;
    handler_->on_ready(gone);
  }
}

void FilteredTransport::end_unserved(ClosedBy by) {
  close(net::CloseHow::kFin);
  server_.count_unserved(*accepted_, by);
  owned_.reset();
  unlink();
  worker_.loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

void FilteredTransport::close(net::CloseHow how) {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  held_.clear();
  inner_->close(how);
  for (const auto& filter : filters_) {
    filter->on_close(*this);
  }
}

}  // namespace sluice::proxy
