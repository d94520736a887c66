// What can be wrong with a peer's HTTP/1 message, and what it is answered.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/codec.h"

namespace sluice::http::http1 {

// CodecError::details when CodecOptions::underscores refuses a name.
inline constexpr std::string_view kUnderscoreRefused = "http1.unexpected_underscore";
// CodecError::details when a request line ends with the name of another protocol.
inline constexpr std::string_view kOtherProtocol = "http1.other_protocol";

enum class Fault : uint8_t {
  kNone,
  kMalformed,   // the grammar of RFC 9112 is broken
  kCharacters,  // a control character in a field value
  kTooLarge,    // a head or trailer section above CodecOptions::max_head_bytes
  kTooManyFields,
  kLowVersion,   // HTTP/1.0 when it is not accepted, HTTP/0.9
  kVersion,      // HTTP/2.0 and above
  kOtherProtocol,
  kMethod,       // a method longer than any
  kUrl,          // an absolute target that cannot be taken apart
  kScheme,       // neither http nor https
  kMissingHost,  // where the exchange cannot see it: the authority came from the target
  kUnderscore,
  kTransferEncoding,      // a coding that we do not have
  kTransferEncodingHere,  // a coding where none may be: HTTP/1.0, CONNECT
  kLengthHere,            // a length where none may be: CONNECT, 1xx
  kChunkedLength,         // both framings at once
  kConnection,            // the Connection field names what it must not
  kCutShort,              // the peer closed in mid-message
  kUnasked,               // bytes that no request asked for, or an upgrade that was not asked for
  kTooManyInterims,
};

CodecError error_of(Fault fault);

}  // namespace sluice::http::http1
