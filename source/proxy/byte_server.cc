#include "proxy/byte_server.h"

#include <algorithm>

namespace sluice::proxy {

namespace {
// A read asks for what fits where it goes, and a little more so that the pipe never runs dry.
constexpr size_t kByteReadAhead = 64 * 1024;
}  // namespace

void ByteServer::run(ByteConnection* connection) {
  connections_.push_back(*connection);
  ++count_;
  connection->on_start();
}

void ByteServer::close_all() {
  while (ByteConnection* connection = connections_.front()) {
    connection->cut();
  }
}

ByteConnection::ByteConnection(ByteServer& server, std::unique_ptr<net::Transport> transport, AcceptedPtr accepted)
    : server_(server),
      transport_(std::move(transport)),
      accepted_(std::move(accepted)),
      outbox_(worker().flushes, worker().slabs, server.listener().plan.buffer_limit, *this) {
  outbox_.attach(transport_.get());
  transport_->set_handler(this);
}

ByteConnection::~ByteConnection() { SLUICE_DCHECK(closed_); }

void ByteConnection::on_ready(net::Ready ready) {
  if (ready.writable && !closed_) {
    outbox_.on_writable();
  }
  if (ready.readable && !closed_) {
    read();
  } else if (ready.failed && !closed_) {
    lost();
  }
}

void ByteConnection::read() {
  net::ReadLease lease(worker().network.read_buffer());
  buffer::Buffer in(worker().slabs);
  const net::IoResult result =
      transport_->read(lease, std::min(room(), SIZE_MAX - kByteReadAhead) + kByteReadAhead, in);
  if (result.bytes > 0) {
    on_data(in);
  }
  if (!closed_ && result.status == net::IoStatus::kEof && !client_ended_) {
    client_ended_ = true;
    on_end();
    check_finished();
  } else if (!closed_ && result.status == net::IoStatus::kFailed) {
    lost();
  }
  worker().flushes.flush_all();
}

void ByteConnection::lost() {
  // Closed by a filter on the way, or by the client.
  close(transport_->closed() ? net::CloseHow::kFin : net::CloseHow::kReset);
}

void ByteConnection::describe(format::Facts& facts) const {
  accepted_->describe(facts);
  facts.end = worker().loop.now();
  facts.downstream_tls = transport_->tls();
  if (facts.downstream_tls != nullptr) facts.downstream_failure = transport_->failure();
}

void ByteConnection::send(buffer::Buffer& data) {
  outbox_.bytes().move_from(data);
  outbox_.schedule();
}

void ByteConnection::read_on(bool on) {
  if (!closed_) {
    transport_->want_read(on);
  }
}

void ByteConnection::finish() {
  if (!closed_ && !finish_wanted_) {
    finish_wanted_ = true;
    check_finished();
  }
}

void ByteConnection::check_finished() {
  if (closed_ || !finish_wanted_) {
    return;
  }
  if (!finished_ && outbox_.empty()) {
    finished_ = true;
    if (!client_ended_) {
      transport_->shutdown_write();
    }
  }
  if (finished_ && client_ended_) {
    close(net::CloseHow::kFin);
  }
}

void ByteConnection::on_sent(size_t bytes) {
  on_bytes_sent(bytes);
  check_finished();
}

void ByteConnection::on_send_failed() {
  if (!closed_) {
    lost();
  }
}

void ByteConnection::close(net::CloseHow how) {
  if (closed_) {
    return;
  }
  closed_ = true;
  outbox_.abandon();
  format::Facts facts;
  const bool over = on_closed(how, facts);
  transport_->close(how);
  accepted_->end(facts);
  if (over) {
    leave();
  }
}

void ByteConnection::leave() {
  unlink();
  --server_.count_;
  worker().loop.destroy_later(std::unique_ptr<event::Deferred>(this));
}

}  // namespace sluice::proxy
