// Outbox: what one connection has to send. Everything that one dispatch produced leaves in one system call: the
// connection fills bytes() and schedules; the FlushQueue writes when the dispatch ends.
#pragma once

#include "base/intrusive_list.h"
#include "buffer/buffer.h"
#include "net/transport.h"

namespace sluice::net {

class Outbox;
class FlushQueue;

// Work that waits for the end of the dispatch that is running: what it looks at has settled by then. Thread: worker.
class AtDispatchEnd : public IntrusiveNode<AtDispatchEnd> {
 public:
  virtual void on_dispatch_end() = 0;

 protected:
  ~AtDispatchEnd() = default;
};

// The outboxes of a worker that have something to send. Thread: worker.
class FlushQueue {
 public:
  // First the waiting work, then the outboxes, until nothing is left of either. Before a read lease ends, so that
  // borrowed bytes leave without a copy.
  void flush_all();
  // The same, and the outboxes that gather. At the end of each loop turn.
  void flush_turn();
  void at_dispatch_end(AtDispatchEnd& work) {
    if (!work.linked()) {
      work_.push_back(work);
    }
  }

 private:
  friend class Outbox;
  IntrusiveList<AtDispatchEnd, AtDispatchEnd> work_;
  IntrusiveList<Outbox, FlushQueue> waiting_;
  IntrusiveList<Outbox, FlushQueue> gathering_;
};

// Told by its outbox; may close or destroy later the connection inside.
class OutboxOwner {
 public:
  // `bytes` left for the kernel just now; the outbox may hold more.
  virtual void on_sent(size_t bytes) = 0;
  // The peer is gone; nothing more can be sent.
  virtual void on_send_failed() = 0;
  // size() rose above the limit (true), or fell to half of it (false).
  virtual void on_full(bool full) = 0;

 protected:
  ~OutboxOwner() = default;
};

// Part of its connection. Thread: worker.
class Outbox : public IntrusiveNode<FlushQueue> {
 public:
  // `limit`: the high mark in bytes (per_connection_buffer_limit_bytes; 0: none). The low mark is half of it.
  Outbox(FlushQueue& queue, buffer::SlabPool& slabs, size_t limit, OutboxOwner& owner)
      : queue_(queue), bytes_(slabs), limit_(limit), owner_(owner) {}

  void attach(Transport* transport) { transport_ = transport; }

  // Append here, then schedule().
  buffer::Buffer& bytes() { return bytes_; }
  void schedule() {
    if (!linked() && transport_ != nullptr) {
      queue_.waiting_.push_back(*this);
    }
  }
  // The same for a connection of many streams: while little is here it waits for what other dispatches of this loop
  // turn add (the answers of several origins), so that one send, and one TLS record, takes them all.
  void gather();
  // The transport can take bytes again.
  void on_writable() {
    blocked_ = false;
    flush();
  }

  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  bool full() const { return full_; }
  // Room below the high mark.
  size_t room() const { return limit_ == 0 ? SIZE_MAX / 2 : bytes_.size() >= limit_ ? 0 : limit_ - bytes_.size(); }
  // Drops what is left and never writes again.
  void abandon() {
    unlink();
    transport_ = nullptr;
    bytes_.clear();
  }

 private:
  friend class FlushQueue;
  // Above that a send of its own costs less than copying what is borrowed.
  static constexpr size_t kGather = 16 * 1024;

  void flush();
  void update_full();

  FlushQueue& queue_;
  buffer::Buffer bytes_;
  const size_t limit_;
  OutboxOwner& owner_;
  Transport* transport_ = nullptr;
  bool blocked_ = false;  // the kernel took less than all: wait for writable
  bool full_ = false;
};

}  // namespace sluice::net
