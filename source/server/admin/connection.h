// AdminConnection: one client of the admin server: requests one after the other, each answered by a page.
#pragma once

#include <memory>
#include <string>

#include "base/arena.h"
#include "base/intrusive_list.h"
#include "buffer/buffer.h"
#include "event/loop.h"
#include "http/http1/server_codec.h"
#include "net/transport.h"
#include "server/admin/admin.h"
#include "server/admin/page.h"

namespace sluice::server::admin {

// Reads only while nothing is left to write, so a client that does not read its answers costs one answer. Owned by its
// Admin's list; destroys itself through the loop once closed. Thread: main.
class AdminConnection final : public event::Deferred,
                              public IntrusiveNode<Admin>,
                              private net::TransportHandler,
                              private http::ServerEvents {
 public:
  AdminConnection(Admin& admin, std::unique_ptr<net::Transport> transport);
  ~AdminConnection() override;

  // Ends at once and without destroying; for the Admin, which does that itself.
  void shut();

 private:
  // The largest body of a request (a form); what is above is dropped.
  static constexpr size_t kMaxBody = 64 * 1024;
  // How long a client may take to read the last answer and close.
  static constexpr Duration kLinger = std::chrono::seconds(1);

  // net::TransportHandler
  void on_ready(net::Ready ready) override;
  // http::ServerEvents
  Arena& on_begin(http::StreamId stream) override;
  void on_headers(http::StreamId stream, http::RequestHeaders& headers, http::End end) override;
  void on_data(http::StreamId stream, buffer::Buffer& data, http::End end) override;
  void on_trailers(http::StreamId stream, http::HeaderMap& trailers) override;
  void on_reset(http::StreamId stream, const http::StreamReset& reset) override;
  void on_error(http::StreamId stream, const http::CodecError& error) override;

  void close();
  void read();
  void decode();
  void answer_request();
  void send(const Reply& reply);
  void write();
  void wrote_all();
  void run_afterwards();
  void count(uint16_t status);
  void log(const http::ResponseHeaders& headers, size_t bytes);
  void add_client_address();

  Admin& admin_;
  std::shared_ptr<AdminPools> pools_;
  std::unique_ptr<net::Transport> transport_;
  Arena arena_;  // of the current request
  http::http1::Http1ServerCodec codec_;
  buffer::Buffer in_;
  buffer::Buffer out_;
  http::StreamId stream_ = 0;
  http::RequestHeaders* request_ = nullptr;
  std::string body_;
  MonotonicTime begun_;  // of the current request
  WallTime begun_wall_;
  Function<void()> afterwards_;
  bool decoding_ = false;
  bool last_ = false;     // the current answer is the last one
  bool closing_ = false;  // all was sent, the client is given time to read it
  bool closed_ = false;
  event::Timer linger_;
};

}  // namespace sluice::server::admin
