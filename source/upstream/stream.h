// The two ends of one request on an upstream connection: what the user gives, and what it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "buffer/buffer.h"
#include "http/byte_meter.h"
#include "http/message.h"
#include "net/address.h"
#include "net/read_gate.h"
#include "net/tls_facts.h"
#include "upstream/host.h"
#include "upstream/reset_reason.h"

namespace sluice::upstream {

// When its connection was made: both long ago for one that was kept.
struct ConnectTimes {
  MonotonicTime begin, end;
};

// A leased stream. Valid until on_response_* said End::kYes, on_stream_reset was called, or reset() was called:
// after that the user must not touch it. Thread: worker.
class UpstreamStream {
 public:
  virtual void send_headers(const http::RequestHeaders& headers, http::End end) = 0;
  virtual void send_data(buffer::Buffer& data, http::End end) = 0;
  virtual void send_trailers(const http::HeaderMap& trailers) = 0;
  // Gives the stream up; on HTTP/1 the connection closes. No further events.
  virtual void reset() = 0;
  // Close it to stop reading the response.
  virtual net::ReadGate& response_gate() = 0;
  // The output towards the upstream is above its high mark.
  virtual bool full() const = 0;
  virtual size_t room() const = 0;

  virtual const Host& host() const = 0;
  virtual const net::Address& local_address() const = 0;
  // Where it really went: a host may have several addresses. Valid while the stream is.
  virtual const net::Address& remote_address() const = 0;
  virtual uint64_t connection_id() const = 0;
  virtual http::Protocol protocol() const = 0;
  virtual const net::TlsFacts* tls() const = 0;
  virtual ConnectTimes connect_times() const = 0;
  // What the stream took so far; may still be asked in the last event.
  virtual http::ByteMeter bytes() = 0;
  // Asked in on_stream_reset(): the connection, which had carried other streams before, was closed by the peer before
  // its system received anything of this request. So nobody has seen it.
  virtual bool unread() const { return false; }

 protected:
  ~UpstreamStream() = default;
};

// The user of a stream (an Attempt, a Call). Thread: worker.
class StreamUser {
 public:
  virtual Arena& response_arena() = 0;
  virtual void on_interim(http::ResponseHeaders& headers) = 0;
  virtual void on_response_headers(http::ResponseHeaders& headers, http::End end) = 0;
  virtual void on_response_data(buffer::Buffer& data, http::End end) = 0;
  virtual void on_response_trailers(http::HeaderMap& trailers) = 0;
  virtual void on_stream_reset(ResetReason reason, std::string_view details) = 0;
  // The output towards the upstream rose above its limit (true) or has room again (false).
  virtual void on_request_full(bool full) = 0;
  // How many response bytes may be read at once: the room of where they go.
  virtual size_t response_room() const = 0;

 protected:
  ~StreamUser() = default;
};

}  // namespace sluice::upstream
