// The chunked decoder against a second one, written from the grammar of RFC 9112 7.1 in the plainest way; and the same
// result however the bytes are cut. An input is one byte that says where to cut, and the body.
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/chars.h"
#include "http/http1/chunked_decoder.h"

namespace sluice::http::http1 {
namespace {

struct Outcome {
  ChunkedDecoder::Status status = ChunkedDecoder::Status::kMore;
  std::string data;
  size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

// Thrown away when the text ends too early.
struct Text {
  std::string_view all;
  size_t at = 0;
  bool ended() const { return at == all.size(); }
  char peek() const { return all[at]; }
};

enum class Step : uint8_t { kOk, kMore, kBad };

Step skip_blanks(Text& text) {
  while (!text.ended() && is_blank(text.peek())) ++text.at;
  return text.ended() ? Step::kMore : Step::kOk;
}
Step token(Text& text) {
  const size_t start = text.at;
  while (!text.ended() && is_token_char(text.peek())) ++text.at;
  if (text.ended()) return Step::kMore;
  return text.at > start ? Step::kOk : Step::kBad;
}
Step quoted(Text& text) {
  ++text.at;
  while (!text.ended() && text.peek() != '"') {
    if (text.peek() == '\\' && ++text.at == text.all.size()) return Step::kMore;
    if (!is_field_char(text.peek())) return Step::kBad;
    ++text.at;
  }
  if (text.ended()) return Step::kMore;
  ++text.at;
  return text.ended() ? Step::kMore : Step::kOk;
}
// *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CRLF
Step extensions(Text& text) {
  while (true) {
    if (text.ended()) return Step::kMore;
    if (text.peek() == '\r') {
      if (++text.at == text.all.size()) return Step::kMore;
      return text.all[text.at++] == '\n' ? Step::kOk : Step::kBad;
    }
    if (Step s = skip_blanks(text); s != Step::kOk) return s;
    if (text.peek() != ';') return Step::kBad;
    ++text.at;
    if (Step s = skip_blanks(text); s != Step::kOk) return s;
    if (Step s = token(text); s != Step::kOk) return s;
    const size_t name_end = text.at;
    if (Step s = skip_blanks(text); s != Step::kOk) return s;
    if (text.peek() != '=') {
      if (text.peek() != ';' && text.at != name_end) return Step::kBad;
      text.at = name_end;
      continue;
    }
    ++text.at;
    if (Step s = skip_blanks(text); s != Step::kOk) return s;
    if (Step s = text.peek() == '"' ? quoted(text) : token(text); s != Step::kOk) return s;
  }
}

Outcome reference(std::string_view wire) {
  Text text{wire};
  Outcome out;
  const auto stop = [&](Step step) {
    out.status = step == Step::kMore ? ChunkedDecoder::Status::kMore : ChunkedDecoder::Status::kBad;
    return out;
  };
  while (true) {
    uint64_t size = 0;
    int digits = 0;
    while (!text.ended() && hex_value(text.peek()) >= 0) {
      if (++digits > 16 || size >= (uint64_t{1} << 59)) return stop(Step::kBad);
      size = size * 16 + static_cast<uint64_t>(hex_value(text.peek()));
      ++text.at;
    }
    if (text.ended()) return stop(Step::kMore);
    if (digits == 0) return stop(Step::kBad);
    if (Step s = extensions(text); s != Step::kOk) return stop(s);
    if (size == 0) {
      out.status = ChunkedDecoder::Status::kLast;
      out.used = text.at;
      return out;
    }
    const size_t bytes = static_cast<size_t>(std::min<uint64_t>(size, wire.size() - text.at));
    out.data.append(wire.substr(text.at, bytes));
    text.at += bytes;
    for (const char c : {'\r', '\n'}) {
      if (bytes < size || text.ended()) return stop(Step::kMore);
      if (text.all[text.at++] != c) return stop(Step::kBad);
    }
  }
}

Outcome decode(std::string_view wire, size_t piece) {
  Owner owner{"fuzz"};
  buffer::SlabPool slabs{owner};
  ChunkedDecoder decoder;
  Outcome out;
  decoder.start();
  for (size_t at = 0; at < wire.size() && out.status == ChunkedDecoder::Status::kMore; at += piece) {
    buffer::Buffer in(slabs);
    buffer::Buffer data(slabs);
    const std::string_view part = wire.substr(at, piece);
    in.append_borrowed(part);
    out.status = decoder.decode(in, data);
    out.data += data.to_string();
    SLUICE_CHECK(out.status != ChunkedDecoder::Status::kMore || in.empty());
    if (out.status == ChunkedDecoder::Status::kLast) {
      out.used = at + part.size() - in.size();
    }
  }
  return out;
}

void check(size_t piece, std::string_view wire) {
  const Outcome expected = reference(wire);
  // Short inputs do not reach the bound on extensions, which the reference does not have.
  SLUICE_CHECK(decode(wire, wire.size() + 1) == expected);
  SLUICE_CHECK(decode(wire, 1) == expected);
  SLUICE_CHECK(decode(wire, piece + 1) == expected);
}

}  // namespace
}  // namespace sluice::http::http1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0 && size < 4096) {
    sluice::http::http1::check(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  }
  return 0;
}
