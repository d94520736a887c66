#include "http/http1/chunked_decoder.h"

#include <algorithm>
#include <string_view>

#include "http/chars.h"

namespace sluice::http::http1 {

ChunkedDecoder::State ChunkedDecoder::size_digit(char c) {
  const int digit = hex_value(c);
  if (digit < 0) {
    if (digits_ == 0) return State::kBad;
    if (c == '\r') return State::kLineFeed;
    if (c == ';') return State::kNameStart;
    return is_blank(c) ? State::kAfterSize : State::kBad;
  }
  if (++digits_ > 16 || (left_ >> 59) != 0) {
    return State::kBad;
  }
  left_ = left_ * 16 + static_cast<uint64_t>(digit);
  return State::kSize;
}

ChunkedDecoder::State ChunkedDecoder::next(char c) {
  switch (state_) {
    case State::kSize:
      return size_digit(c);
    case State::kAfterSize:
      if (is_blank(c)) return state_;
      return c == ';' ? State::kNameStart : State::kBad;
    case State::kNameStart:
      if (is_blank(c)) return state_;
      return is_token_char(c) ? State::kName : State::kBad;
    case State::kName:
      if (is_token_char(c)) return state_;
      [[fallthrough]];
    case State::kAfterName:
      if (is_blank(c)) return State::kAfterName;
      if (c == '=') return State::kValueStart;
      if (c == ';') return State::kNameStart;
      return c == '\r' && state_ == State::kName ? State::kLineFeed : State::kBad;
    case State::kValueStart:
      if (is_blank(c)) return state_;
      if (c == '"') return State::kQuoted;
      return is_token_char(c) ? State::kValue : State::kBad;
    case State::kQuoted:
      if (c == '"') return State::kAfterValue;
      if (c == '\\') return State::kEscaped;
      return is_field_char(c) ? state_ : State::kBad;
    case State::kEscaped:
      return is_field_char(c) ? State::kQuoted : State::kBad;
    case State::kValue:
      if (is_token_char(c)) return state_;
      [[fallthrough]];
    case State::kAfterValue:
      if (c == ';') return State::kNameStart;
      if (c == '\r') return State::kLineFeed;
      return is_blank(c) ? State::kAfterSize : State::kBad;
    case State::kLineFeed:
      end_line();
      return c == '\n' ? State::kData : State::kBad;
    case State::kDataReturn:
      return c == '\r' ? State::kDataLineFeed : State::kBad;
    case State::kDataLineFeed:
      return c == '\n' ? State::kSize : State::kBad;
    case State::kData:
    case State::kBad:
      break;
  }
  return State::kBad;
}

// A chunk may cost a short size line; what goes beyond that is counted against the data.
void ChunkedDecoder::end_line() {
  excess_ += line_;
  excess_ -= 16 + 2 * static_cast<int32_t>(std::min<uint64_t>(left_, kMaxExcess));
  excess_ = std::max(excess_, 0);
  line_ = 0;
  digits_ = 0;
}

ChunkedDecoder::Status ChunkedDecoder::decode(buffer::Buffer& in, buffer::Buffer& data) {
  while (!in.empty()) {
    if (state_ == State::kData) {
      const size_t bytes = static_cast<size_t>(std::min<uint64_t>(left_, in.size()));
      data.move_from(in, bytes);
      left_ -= bytes;
      if (left_ > 0) {
        return Status::kMore;
      }
      state_ = State::kDataReturn;
      continue;
    }
    const std::string_view bytes = in.front();
    size_t used = 0;
    bool last = false;
    while (used < bytes.size() && state_ != State::kBad && state_ != State::kData) {
      ++line_;
      state_ = next(bytes[used++]);
      if (state_ == State::kData && left_ == 0) {
        last = true;
        break;
      }
      if (excess_ + line_ > kMaxExcess) {
        state_ = State::kBad;
      }
    }
    in.drain(used);
    if (state_ == State::kBad) {
      return Status::kBad;
    }
    if (last) {
      return Status::kLast;
    }
  }
  return Status::kMore;
}

}  // namespace sluice::http::http1
