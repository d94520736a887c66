#include "proxy/accepted.h"

#include "proxy/listener.h"

namespace sluice::proxy {

Accepted::~Accepted() { end(); }

Found& Accepted::found() {
  if (found_ == nullptr) {
    found_ = std::make_unique<Found>();
  }
  return *found_;
}

void Accepted::describe(format::Facts& facts) const {
  const upstream::WorkerLocal& worker = listener_->worker();
  const MonotonicTime now = worker.loop.now();
  facts.start = started_;
  facts.start_wall = WallTime{worker.loop.wall_now().us - (now - started_).count() / 1000};
  facts.connection_id = id_;
  facts.random = &worker.random;
  facts.remote = &remote();
  facts.direct_remote = &direct_remote();
  facts.local = &local();
  facts.direct_local = &direct_local();
  facts.requested_server_name = server_name();
  facts.flags = flags;
  facts.protocol = protocol;
  facts.has_protocol = has_protocol;
  facts.details = details;
  facts.listener = listener_->frame().name;
  facts.listener_metadata = listener_->frame().metadata.get();
  facts.bytes_received = bytes_received;
  facts.bytes_sent = bytes_sent;
  if (found_ != nullptr) {
    facts.termination_details = found_->termination_details;
    facts.metadata = &found_->metadata;
    facts.filter_state = &found_->filter_state;
  }
  if (chain_ != nullptr) {
    facts.filter_chain = chain_->name;
  }
}

void Accepted::end() {
  if (ended_) {
    return;
  }
  format::Facts facts;
  if (listener_->logs()) {
    describe(facts);
    facts.end = listener_->worker().loop.now();
  }
  end(facts);
}

void Accepted::end(format::Facts& facts) {
  if (!ended_) {
    ended_ = true;
    facts.log_type = format::LogType::kNotSet;
    listener_->on_ended(*this, facts);
  }
}

}  // namespace sluice::proxy
