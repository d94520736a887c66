// Codecs: bytes to message events, message parts to bytes. Sans-io: no socket, no clock, no timer. HTTP/1
// (http/http1) and HTTP/2 look the same from outside.
//
// One dispatch: the connection reads bytes and calls decode(); the codec calls the events; whatever the events make
// the other side encode lands in an output Buffer, which the connection writes at the end of the dispatch.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "buffer/buffer.h"
#include "http/byte_meter.h"
#include "http/message.h"

namespace sluice::match {
class StringMatcher;
}

namespace sluice::http {

// Names a stream within its codec: HTTP/2's number; on HTTP/1 the running number of the message.
using StreamId = uint32_t;

// Why the peer's bytes were refused. `details` is the token for %RESPONSE_CODE_DETAILS% ("http1.codec_error").
struct CodecError {
  uint16_t status = 400;  // what a server answers: 400, 426, 431, 501 ...
  std::string_view details;
};

// CodecError::details when the peer closed in mid-message: not a breach of the protocol.
inline constexpr std::string_view kCutShort = "http1.cut_short";

enum class Decoded : uint8_t {
  kMore,  // everything usable was consumed; more bytes are welcome
  // HTTP/1: stopped at the end of a message. Call decode() with the rest once the codec is ready(), which it may be
  // already: one call decodes one message at most, so that its caller can look at what the answers cost.
  kBlocked,
  kFailed,  // on_error() was called; the codec takes nothing any more
};

// Why one stream ended alone (HTTP/2).
struct StreamReset {
  enum class By : uint8_t {
    kPeer,          // the peer reset it
    kPeerRefused,   // the peer says that it did nothing of it (REFUSED_STREAM, or behind its GOAWAY)
    kPeerProtocol,  // the peer says that we broke the protocol
    kFault,         // we reset it: the message is wrong
    kLimit,         // we reset it: the message is above a limit
  };
  By by = By::kPeer;
  std::string_view details;  // for %RESPONSE_CODE_DETAILS%
};

struct CodecOptions {
  uint32_t max_head_bytes = 60 * 1024;  // raw head with its line ends, or trailer section; for responses give 80 KiB
  uint32_t max_fields = 100;
  bool accept_http_10 = false;
  std::string_view default_host_for_http_10;
  bool enable_trailers = false;       // off: trailers are checked and dropped
  bool allow_chunked_length = false;  // Transfer-Encoding and Content-Length together: the length is dropped
  bool allow_absolute_url = true;
  bool allow_custom_methods = false;             // off: those of the IANA registry that are in use, others get 400
  bool forward_reason_phrase = false;            // of responses; off: each status has its usual phrase
  bool send_fully_qualified_url = false;         // of requests that are sent: "GET http://host/path HTTP/1.1"
  bool allow_upgrade = true;                     // codec level; which types are allowed is the exchange's decision
  bool stream_error_on_invalid_message = false;  // keep the connection where the framing is still certain
  enum class Underscores : uint8_t { kAllow, kReject, kDrop } underscores = Underscores::kAllow;
  enum class Case : uint8_t { kLower, kProper, kPreserve } header_case = Case::kLower;
  // Protocols of Upgrade that are as if the client had not offered them; null: none. Outlives the codec.
  const std::vector<match::StringMatcher>* ignored_upgrades = nullptr;
  bool proxy_100_continue = false;  // off: an Expect is answered by the connection and 1xx from upstream are dropped
};

// What a server codec tells its connection. References are valid during the call only, but header texts stand in the
// arena that on_begin() gave.
class ServerEvents {
 public:
  // The head of a new request is complete, or its fault was found; its texts and fields will stand in the returned
  // arena. on_headers() or on_error() follows. (HTTP/2: its first byte is there, and on_reset() may follow too.)
  virtual Arena& on_begin(StreamId stream) = 0;
  // `headers` was created in that arena: the pointer stays valid for the life of the exchange.
  virtual void on_headers(StreamId stream, RequestHeaders& headers, End end) = 0;
  // Takes what it wants out of `data`; what is left is dropped. May be empty with End::kYes.
  virtual void on_data(StreamId stream, buffer::Buffer& data, End end) = 0;
  // Ends the message.
  virtual void on_trailers(StreamId stream, HeaderMap& trailers) = 0;
  // This stream ended alone (HTTP/2); the connection goes on.
  virtual void on_reset(StreamId stream, const StreamReset& reset) = 0;
  // The connection cannot go on. With a stream whose request has begun (`stream` != 0; on HTTP/1 always) its exchange
  // ends; a server answers error.status when nothing was answered yet, and closes.
  virtual void on_error(StreamId stream, const CodecError& error) = 0;

 protected:
  ~ServerEvents() = default;
};

// The server side of one downstream connection. Owned by it. Thread: worker.
class ServerCodec {
 public:
  virtual ~ServerCodec() = default;

  // Consumes from the front of `in`.
  virtual Decoded decode(buffer::Buffer& in) = 0;
  // HTTP/1: the response and the request of the current message are both complete, a pipelined next one may be
  // decoded; or the tunnel that the request asked for is open. False once the connection must close. HTTP/2: always.
  virtual bool ready() const = 0;

  // 1xx but 101. Any number before the final response.
  virtual void encode_interim(StreamId stream, const ResponseHeaders& headers, buffer::Buffer& out) = 0;
  // The codec owns the framing: it writes content-length as it stands in `headers`, or transfer-encoding: chunked, or
  // close-delimited for HTTP/1.0; nothing for HEAD, 204, 304; hop-by-hop fields in `headers` were removed before
  // (http/hop_by_hop.h). HTTP/1: with End::kYes before the request is complete the head announces the close; a reply
  // with a body that will not wait for the request's end calls start_drain() first. A 101, or a 2xx to CONNECT, opens
  // the tunnel: bytes pass both ways from then on, and what came behind the request's head is decoded next.
  // HTTP/1 takes stream 0 between messages, to answer a request that did not come in time; the connection must close.
  // Fields that HTTP/1 cannot carry (a control character in the value) are left out: no message ever becomes two.
  virtual void encode_headers(StreamId stream, const ResponseHeaders& headers, End end, buffer::Buffer& out) = 0;
  // Moves all of `data` into `out`. More or fewer bytes than Content-Length said is a bug of the caller: what is too
  // much is dropped, and keep_alive() becomes false. With End::kYes before the request is complete the codec takes no
  // more of it (HTTP/1: the rest is dropped, and keep_alive() becomes false).
  virtual void encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) = 0;
  virtual void encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) = 0;
  // Ends a stream without completing it. HTTP/1: the connection must be closed (keep_alive() becomes false).
  virtual void reset(StreamId stream, buffer::Buffer& out) = 0;

  // The next response head says `connection: close` (HTTP/1) or GOAWAY is sent (HTTP/2).
  virtual void start_drain(buffer::Buffer& out) = 0;
  // Whether the connection may be used after the current message; false after close, errors, close-delimited bodies.
  virtual bool keep_alive() const = 0;
  virtual Protocol protocol() const = 0;
  // What a stream took so far; of one that is unknown nothing. HTTP/2 counts what it sends when frames are flushed.
  virtual ByteMeter bytes(StreamId stream) = 0;
};

// What a client codec tells its connection.
class ClientEvents {
 public:
  virtual Arena& on_begin(StreamId stream) = 0;  // the arena for the next response head of that stream
  virtual void on_interim(StreamId stream, ResponseHeaders& headers) = 0;  // 1xx but 101
  virtual void on_headers(StreamId stream, ResponseHeaders& headers, End end) = 0;
  virtual void on_data(StreamId stream, buffer::Buffer& data, End end) = 0;
  virtual void on_trailers(StreamId stream, HeaderMap& trailers) = 0;
  virtual void on_reset(StreamId stream, const StreamReset& reset) = 0;
  // The peer broke the protocol: the streams in flight fail, the connection is not used again. `stream` is 0 for bytes
  // that no request asked for, also directly behind a complete response.
  virtual void on_error(StreamId stream, const CodecError& error) = 0;

 protected:
  ~ClientEvents() = default;
};

// The client side of one upstream connection. HTTP/1 carries one message at a time. Owned by it. Thread: worker.
class ClientCodec {
 public:
  virtual ~ClientCodec() = default;

  virtual Decoded decode(buffer::Buffer& in) = 0;
  // The peer closed its side: ends a close-delimited body or a tunnel well, and is an error (kCutShort) in any other
  // message. Nothing happens between messages.
  virtual void decode_eof() = 0;

  // Begins a request and returns its stream. One that asks for a tunnel has no body; its bytes may be encoded once the
  // response accepted it (101, or 2xx to CONNECT), not before.
  virtual StreamId encode_headers(const RequestHeaders& headers, End end, buffer::Buffer& out) = 0;
  virtual void encode_data(StreamId stream, buffer::Buffer& data, End end, buffer::Buffer& out) = 0;
  virtual void encode_trailers(StreamId stream, const HeaderMap& trailers, buffer::Buffer& out) = 0;
  virtual void reset(StreamId stream, buffer::Buffer& out) = 0;

  // The current message is complete both ways and the connection may carry the next one.
  virtual bool reusable() const = 0;
  virtual Protocol protocol() const = 0;
  // As of ServerCodec.
  virtual ByteMeter bytes(StreamId stream) = 0;
};

}  // namespace sluice::http
