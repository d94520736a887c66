// What the HTTP/1 fuzz targets share: an input is one byte of options, one that says where to cut, and the wire.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/check.h"
#include "test/http/http1_transcript.h"

namespace sluice::http::http1 {

struct FuzzInput {
  CodecOptions options;
  uint8_t choice;  // left over from the options
  size_t cut;
  std::string_view wire;
};

inline FuzzInput read_input(const uint8_t* data, size_t size) {
  FuzzInput input;
  const uint8_t bits = size > 0 ? data[0] : 0;
  const size_t cut = size > 1 ? data[1] : 0;
  input.wire = size > 2 ? std::string_view(reinterpret_cast<const char*>(data) + 2, size - 2) : std::string_view();
  input.cut = input.wire.empty() ? 0 : cut * input.wire.size() / 255;
  input.options.max_head_bytes = 2048;
  input.options.max_fields = 20;
  input.options.enable_trailers = (bits & 1) != 0;
  input.options.accept_http_10 = (bits & 2) != 0;
  input.options.allow_chunked_length = (bits & 4) != 0;
  input.options.underscores = (bits & 8) != 0 ? CodecOptions::Underscores::kDrop : CodecOptions::Underscores::kAllow;
  input.options.header_case = (bits & 16) != 0 ? CodecOptions::Case::kPreserve : CodecOptions::Case::kLower;
  input.choice = bits >> 5;
  return input;
}

inline void expect_same(std::string_view what, std::string_view expected, std::string_view got) {
  if (expected != got) {
    std::fprintf(stderr, "%.*s\n--- expected\n%.*s\n--- got\n%.*s\n", static_cast<int>(what.size()), what.data(),
                 static_cast<int>(expected.size()), expected.data(), static_cast<int>(got.size()), got.data());
  }
  SLUICE_CHECK(expected == got);
}

// However the network cuts the bytes, the codec tells the same. Returns what it tells.
template <typename Make>
std::string check_cuts(const FuzzInput& input, Make&& make) {
  auto whole = make();
  whole->feed(input.wire);
  std::string expected = whole->transcript();
  auto cut = make();
  cut->feed(input.wire.substr(0, input.cut));
  cut->feed(input.wire.substr(input.cut));
  expect_same("cut in two", expected, cut->transcript());
  auto bytewise = make();
  for (size_t i = 0; i < input.wire.size(); ++i) {
    bytewise->feed(input.wire.substr(i, 1));
  }
  expect_same("byte by byte", expected, bytewise->transcript());
  return expected;
}

}  // namespace sluice::http::http1
