// What the HTTP/2 fuzz targets share. An input is one byte of options and then either the wire as it is, or frames in
// a compact form, so that the fuzzer finds its way behind the frame heads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/codec.h"

namespace sluice::http::http2 {

struct FuzzInput {
  uint8_t bits = 0;
  std::string wire;
};

inline FuzzInput read_input(const uint8_t* data, size_t size) {
  FuzzInput input;
  input.bits = size > 0 ? data[0] : 0;
  std::string_view rest =
      size > 1 ? std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1) : std::string_view();
  if ((input.bits & 1) == 0) {
    input.wire = rest;
    return input;
  }
  // type, flags, stream, length, payload
  while (rest.size() >= 4) {
    const auto length = static_cast<uint8_t>(rest[3]);
    const std::string_view payload = rest.substr(4, length);
    input.wire.append({'\0', '\0', static_cast<char>(payload.size()), rest[0], rest[1], '\0', '\0', '\0', rest[2]});
    input.wire.append(payload);
    rest.remove_prefix(4 + payload.size());
  }
  return input;
}

// Checks that a codec tells of each stream in order, and nothing after its end or after the connection's.
// Thread: its owner's.
class OrderOfEvents {
 public:
  void begin(StreamId stream) {
    alive();
    SLUICE_CHECK(stream != 0);
    streams_.try_emplace(stream, Phase::kHead);
  }
  void interim(StreamId stream) { SLUICE_CHECK(phase(stream) == Phase::kHead); }
  void head(StreamId stream, End end) {
    SLUICE_CHECK(phase(stream) == Phase::kHead);
    move(stream, end, Phase::kBody);
  }
  void data(StreamId stream, End end) {
    SLUICE_CHECK(phase(stream) == Phase::kBody);
    move(stream, end, Phase::kBody);
  }
  void trailers(StreamId stream) { data(stream, End::kYes); }
  void reset(StreamId stream) {
    alive();
    Phase& now = phase(stream);
    SLUICE_CHECK(now != Phase::kReset);
    now = Phase::kReset;
  }
  void error() {
    alive();
    over_ = true;
  }
  bool over() const { return over_; }

 private:
  enum class Phase : uint8_t { kHead, kBody, kEnded, kReset };
  void alive() const { SLUICE_CHECK(!over_); }
  Phase& phase(StreamId stream) {
    alive();
    const auto found = streams_.find(stream);
    SLUICE_CHECK(found != streams_.end());
    return found->second;
  }
  void move(StreamId stream, End end, Phase next) { phase(stream) = end == End::kYes ? Phase::kEnded : next; }

  std::map<StreamId, Phase> streams_;
  bool over_ = false;
};

}  // namespace sluice::http::http2
