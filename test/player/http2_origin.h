// One HTTP/2 connection of an origin.
#pragma once

#include <map>
#include <memory>

#include "test/player/http2_peer.h"
#include "test/player/origin.h"

namespace sluice::player {

// Lives as long as its connection. Thread: the simulation's.
class Http2OriginConnection final : public Http2Peer {
 public:
  Http2OriginConnection(Stage& stage, Origin& origin, Wire& wire, uint64_t number, Spec settings)
      : Http2Peer(wire, Side::kServer, settings), stage_(stage), origin_(origin), wire_(wire), number_(number) {}
  // The connection is over: what was under way ended with it.
  void end();

 private:
  struct Stream {
    int32_t id;
    std::shared_ptr<Record> record;
    Spec rule;
    std::string method;
    std::string raw;
    bool answering = false;
    bool reset = false;
  };

  void begin_answer(Stream& stream);
  Task<void> answer(Stream& stream);
  // As the rule's `cut` says.
  void cut(Stream& stream);
  Until pause(Stream& stream, Duration time);
  bool over(const Stream& stream) const { return stream.reset || !wire_.ended.empty(); }

  void on_headers(int32_t id, Pairs headers) override;
  void on_data(int32_t id, std::string_view data) override;
  void on_stream_ended(int32_t id) override;
  void on_reset(int32_t id, uint32_t code) override;

  Stage& stage_;
  Origin& origin_;
  Wire& wire_;
  const uint64_t number_;
  std::map<int32_t, Stream> streams_;
};

}  // namespace sluice::player
