#include "http/http1/fault.h"

namespace sluice::http::http1 {

CodecError error_of(Fault fault) {
  switch (fault) {
    case Fault::kNone:
    case Fault::kMalformed:
      break;
    case Fault::kCharacters:
      return {400, "http1.invalid_characters"};
    case Fault::kTooLarge:
      return {431, "http1.headers_too_large"};
    case Fault::kTooManyFields:
      return {431, "http1.too_many_headers"};
    case Fault::kLowVersion:
      return {426, "low_version"};
    case Fault::kVersion:
      return {505, "http1.codec_error"};
    case Fault::kOtherProtocol:
      return {400, kOtherProtocol};
    case Fault::kMethod:
      return {501, "http1.codec_error"};
    case Fault::kUrl:
      return {400, "http1.invalid_url"};
    case Fault::kScheme:
      return {400, "http1.invalid_scheme"};
    case Fault::kMissingHost:
      return {400, "missing_host_header"};
    case Fault::kUnderscore:
      return {400, kUnderscoreRefused};
    case Fault::kTransferEncoding:
      return {501, "http1.invalid_transfer_encoding"};
    case Fault::kTransferEncodingHere:
      return {400, "http1.transfer_encoding_not_allowed"};
    case Fault::kLengthHere:
      return {400, "http1.content_length_not_allowed"};
    case Fault::kChunkedLength:
      return {400, "http1.content_length_and_chunked_not_allowed"};
    case Fault::kConnection:
      return {400, "http1.connection_header_rejected"};
    case Fault::kCutShort:
      return {400, kCutShort};
    case Fault::kUnasked:
      return {400, "http1.unsolicited_response"};
    case Fault::kTooManyInterims:
      return {400, "http1.too_many_interim_responses"};
  }
  return {400, "http1.codec_error"};
}

}  // namespace sluice::http::http1
