// The HTTP/2 client of a case: one connection that can carry several streams at once.
#pragma once

#include <deque>

#include "test/player/clients.h"
#include "test/player/http2_peer.h"

namespace sluice::player {

// Thread: the simulation's.
class Http2Client final : public Client, private Http2Peer {
 public:
  Http2Client(Stage& stage, std::shared_ptr<Wire> wire, Spec spec, std::string scheme);
  Task<Value::Map> request(Spec spec) override;

 private:
  struct Stream {
    Value::List interim;
    int status = 0;
    Pairs headers, trailers;
    bool has_headers = false, has_trailers = false, reads = true;
    std::string raw;
    std::string ended;
    // What the runner shows of it.
    Value::Map tell() const;
  };
  struct Request {
    Value::Map result;
    bool done = false;
  };
  // Until the stream has ended; or the connection, or the time is over.
  Until until_ended(Stream& stream, Duration limit) {
    return wire_->until([&stream] { return !stream.ended.empty(); }, limit);
  }

  Task<void> one(Spec spec, Request& request);
  Task<void> send(Spec spec, int32_t id, Stream& stream);
  static Pairs headers_of(Spec spec, std::string_view scheme);

  void on_headers(int32_t id, Pairs headers) override;
  void on_data(int32_t id, std::string_view data) override;
  void on_stream_ended(int32_t id) override;
  void on_reset(int32_t id, uint32_t code) override;
  void on_goaway(uint32_t code, int32_t last_stream) override;
  void on_settings(const nghttp2_settings& settings) override;

  Stage& stage_;
  const std::string scheme_;
  std::map<int32_t, Stream*> streams_;
  std::deque<Stream> kept_;
  Value::Map goaway_;
  Value peer_settings_;
};

}  // namespace sluice::player
