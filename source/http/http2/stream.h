// Stream: one stream of an HTTP/2 session, on our side of nghttp2.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/intrusive_list.h"
#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/http2/field_block.h"

namespace sluice::http::http2 {

struct InSession {};  // all streams of a session
struct Touched {};    // those whose `pending` changed since the last flush
struct Opened {};     // tunnels that were accepted since the last flush

// Ends when nghttp2 closes the stream. Owned by its Session. Thread: worker.
struct Stream : IntrusiveNode<InSession>, IntrusiveNode<Touched>, IntrusiveNode<Opened> {
  Stream(StreamId the_id, buffer::SlabPool& slabs) : id(the_id), received(slabs), pending(slabs) {}

  StreamId id;
  void* user = nullptr;    // of the codec's user: an exchange, a lease
  Arena* arena = nullptr;  // of its message's texts, while there is a user
  // ---- towards us
  buffer::Buffer received;  // of the DATA frame that is being read
  size_t unconsumed = 0;    // given to the user while it was paused: the peer's window stays closed by so much
  bool paused = false;
  bool head_seen = false;  // the request, or the final response
  bool remote_ended = false;
  bool to_head = false;  // client: the answer has no body
  bool connect = false;
  bool extended = false;     // ... of RFC 8441: an upgrade behind the codec
  bool held = false;         // server: `received` waits until the tunnel is open
  std::string_view upgrade;  // client: what an extended CONNECT asked for; stands in the request
  // ---- from us
  buffer::Buffer pending;  // body that is not in frames yet
  std::unique_ptr<KeptTrailers> trailers;
  bool begun = false;        // the final head was submitted
  bool end_pending = false;  // nothing follows `pending` and `trailers`
  bool deferred = false;     // nghttp2 waits until there is more
  bool local_ended = false;  // END_STREAM is sent
  bool full = false;         // the user was told that `pending` is above its mark
  bool reset_after_end = false;
  bool window_fault = false;  // the peer gave this stream too large a window
  ByteMeter bytes;            // what is sent: as it was flushed
  // ---- the end
  bool released = false;  // the user hears nothing more
  bool peer_reset = false;
  StreamReset::By by = StreamReset::By::kFault;  // when we reset it
  std::string_view fault;                        // what we found
};

}  // namespace sluice::http::http2
