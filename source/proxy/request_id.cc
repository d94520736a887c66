#include "proxy/request_id.h"

#include "http/chars.h"

namespace sluice::proxy {
namespace {

constexpr size_t kVersionAt = 14;
constexpr size_t kVariantAt = 19;

constexpr bool is_dash_place(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

bool is_uuid(std::string_view text) {
  if (text.size() != kUuidSize) return false;
  for (size_t i = 0; i < kUuidSize; ++i) {
    if (is_dash_place(i) ? text[i] != '-' : http::hex_value(text[i]) < 0) return false;
  }
  return true;
}

}  // namespace

void write_uuid4(Random& random, char* to) {
  static constexpr char kHex[] = "0123456789abcdef";
  uint64_t bits[2] = {random.next(), random.next()};
  size_t digit = 0;
  for (size_t i = 0; i < kUuidSize; ++i) {
    if (is_dash_place(i)) {
      to[i] = '-';
      continue;
    }
    uint64_t& word = bits[digit++ / 16];
    to[i] = kHex[word & 15];
    word >>= 4;
  }
  to[kVersionAt] = '4';
  // The variant of RFC 9562: binary 10 and two random bits.
  const char variant = to[kVariantAt];
  to[kVariantAt] = kHex[8 | (http::hex_value(variant) & 3)];
}

TraceReason trace_reason(std::string_view request_id) {
  if (!is_uuid(request_id)) return TraceReason::kNone;
  switch (request_id[kVersionAt]) {
    case '9': return TraceReason::kSampled;
    case 'a': return TraceReason::kForced;
    case 'b': return TraceReason::kClient;
    default: return TraceReason::kNone;
  }
}

void set_request_id(const model::HttpPlan& plan, Edge edge, http::RequestHeaders& request, Random& random) {
  if (!plan.generate_request_id) return;
  const bool replaced = edge == Edge::kYes && !plan.preserve_external_request_id;
  if (!replaced && !request.fields.get(http::Token::kXRequestId).empty()) return;
  char* const text = static_cast<char*>(request.fields.arena().allocate(kUuidSize, 1));
  write_uuid4(random, text);
  request.fields.set(http::Token::kXRequestId, {text, kUuidSize});
}

}  // namespace sluice::proxy
