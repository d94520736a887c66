#include "proxy/request_id.h"

#include <array>
#include <cstring>

#include "http/chars.h"

namespace sluice::proxy {
namespace {

constexpr size_t kVersionAt = 14;

constexpr bool is_dash_place(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

// Two hexadecimal digits for each byte.
constexpr std::array<char, 512> kHexPairs = [] {
  std::array<char, 512> pairs{};
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = "0123456789abcdef"[i >> 4];
    pairs[2 * i + 1] = "0123456789abcdef"[i & 15];
  }
  return pairs;
}();

// The lowest `Digits` digits of `bits`.
template <size_t Digits>
char* put_hex(uint64_t bits, char* to) {
  for (size_t i = 0; i < Digits / 2; ++i) {
    std::memcpy(to + 2 * i, &kHexPairs[2 * (bits >> (4 * Digits - 8 - 8 * i) & 0xff)], 2);
  }
  return to + Digits;
}

bool is_uuid(std::string_view text) {
  if (text.size() != kUuidSize) return false;
  for (size_t i = 0; i < kUuidSize; ++i) {
    if (is_dash_place(i) ? text[i] != '-' : http::hex_value(text[i]) < 0) return false;
  }
  return true;
}

}  // namespace

void write_uuid4(Random& random, char* to) {
  uint64_t high = random.next();
  uint64_t low = random.next();
  high = (high & ~uint64_t{0xf000}) | 0x4000;              // version 4
  low = (low & ~(uint64_t{3} << 62)) | uint64_t{1} << 63;  // the variant of RFC 9562: binary 10
  to = put_hex<8>(high >> 32, to);
  *to++ = '-';
  to = put_hex<4>(high >> 16, to);
  *to++ = '-';
  to = put_hex<4>(high, to);
  *to++ = '-';
  to = put_hex<4>(low >> 48, to);
  *to++ = '-';
  put_hex<12>(low, to);
}

TraceReason trace_reason(std::string_view request_id) {
  if (!is_uuid(request_id)) return TraceReason::kNone;
  switch (request_id[kVersionAt]) {
    case '9':
      return TraceReason::kSampled;
    case 'a':
      return TraceReason::kForced;
    case 'b':
      return TraceReason::kClient;
    default:
      return TraceReason::kNone;
  }
}

std::optional<uint64_t> number_of_request_id(std::string_view request_id) {
  if (!is_uuid(request_id)) return std::nullopt;
  uint64_t out = 0;
  for (const char c : request_id.substr(0, 8)) out = out << 4 | static_cast<uint64_t>(http::hex_value(c));
  return out;
}

void set_trace_reason(TraceReason reason, http::RequestHeaders& request) {
  const std::string_view id = request.fields.get(http::Token::kXRequestId);
  const char wanted = static_cast<char>(reason);
  if (!is_uuid(id) || id[kVersionAt] == wanted) return;
  char* const text = static_cast<char*>(request.fields.arena().allocate(kUuidSize, 1));
  std::memcpy(text, id.data(), kUuidSize);
  text[kVersionAt] = wanted;
  request.fields.set(http::Token::kXRequestId, {text, kUuidSize});
}

void set_request_id(const model::HttpPlan& plan, Edge edge, http::RequestHeaders& request, Random& random) {
  if (!plan.generate_request_id) return;
  http::HeaderMap& fields = request.fields;
  const http::HeaderField* const came = fields.find(http::Token::kXRequestId);
  const bool replaced = edge == Edge::kYes && !plan.preserve_external_request_id;
  if (came != nullptr && came->value_size != 0 && !replaced) return;
  char* const text = static_cast<char*>(fields.arena().allocate(kUuidSize, 1));
  write_uuid4(random, text);
  if (came == nullptr) {
    fields.add(http::Token::kXRequestId, {text, kUuidSize});
  } else {
    fields.set(http::Token::kXRequestId, {text, kUuidSize});
  }
}

}  // namespace sluice::proxy
