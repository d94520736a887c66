// Base64 (RFC 4648, section 4) of bodies, as they come. Nothing but the rest of a group is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "buffer/buffer.h"

namespace sluice::filters::grpc_web {

// Text to bytes. A client may pad each message of its own, so padding may stand in any group. Part of its filter.
class Base64Reader {
 public:
  // What `data` has becomes bytes in place. False: it is no base64.
  bool read(buffer::Buffer& data);
  // Nothing is missing of the last group.
  bool complete() const { return size_ == 0; }

 private:
  char group_[4];
  size_t size_ = 0;
};

// The messages of gRPC (5 bytes in front of each: a flag and its length) to text that is padded at the end of each, so
// that a client can take them apart. Part of its filter.
class Base64Writer {
 public:
  // What `data` has becomes text in place.
  void write(buffer::Buffer& data);
  // The end of a message that is not whole, if there is one.
  void finish(buffer::Buffer& out);

 private:
  void frame(std::string_view bytes, buffer::Buffer& out);
  void text(std::string_view bytes, buffer::Buffer& out);

  char group_[3];
  size_t size_ = 0;
  size_t head_ = 0;      // bytes of the message's head that were seen
  uint32_t length_ = 0;  // of the message, as far as its head was seen
  uint32_t left_ = 0;    // of the message
};

}  // namespace sluice::filters::grpc_web
