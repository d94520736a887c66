// Http2Peer: one end of an HTTP/2 connection of a case, on nghttp2 without its checks of messages: it sends what the
// case says, and tells what came.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "test/player/spec.h"
#include "test/player/wire.h"

namespace sluice::player {

// "CANCEL"; the number of one that has no name.
std::string http2_code_name(uint32_t code);
uint32_t http2_code(std::string_view name);

// Thread: the simulation's.
class Http2Peer {
 public:
  enum class Side : uint8_t { kClient, kServer };
  // `settings`: by their names, over the usual ones.
  Http2Peer(Wire& wire, Side side, const Spec& settings);
  virtual ~Http2Peer();
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;

  // Takes what comes, until the connection ends or the other side breaks the protocol: then `broken`.
  Task<void> run();
  bool broken() const { return broken_; }

 protected:
  enum class Last : uint8_t { kNo, kYes };  // of a stream in one direction
  // A new stream for `stream` -1. Returns its number, or what nghttp2 says.
  int32_t send_headers(int32_t stream, Pairs headers, Last last);
  // Goes out as the windows allow; body_sent() tells when all did. One at a time for each stream.
  void send_body(int32_t stream, std::string body, Last last);
  bool body_sent(int32_t stream) const;
  void send_reset(int32_t stream, uint32_t code);
  void send_goaway(uint32_t code);
  // The window grows again by what came.
  void consume(int32_t stream, size_t bytes);

 private:
  virtual void on_headers(int32_t stream, Pairs headers) = 0;
  virtual void on_data(int32_t stream, std::string_view data) = 0;
  virtual void on_stream_ended(int32_t stream) = 0;
  virtual void on_reset(int32_t stream, uint32_t code) = 0;
  virtual void on_goaway(uint32_t, int32_t) {}
  virtual void on_settings(const nghttp2_settings&) {}
  void on_frame(const nghttp2_frame& frame);
  void flush();
  static ssize_t read_body(nghttp2_session*, int32_t stream, uint8_t* to, size_t room, uint32_t* flags,
                           nghttp2_data_source*, void* self);

  struct Outgoing {
    std::string body;
    size_t sent = 0;
    Last last = Last::kNo;
  };
  Wire& link_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Pairs> incoming_;  // headers that are not complete
  std::map<int32_t, Outgoing> outgoing_;
  std::deque<Pairs> sent_;  // nghttp2 would write names in small letters if it copied them
  bool broken_ = false;
};

// As cases name it; the number of one that has no name.
std::string http2_setting_name(int32_t id);

}  // namespace sluice::player
