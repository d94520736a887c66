// Feeding a codec the same bytes in all the ways in which a network may cut them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "test/http/http1_transcript.h"

namespace sluice::http::http1 {

// The transcript of `wire` fed whole, after checking that one byte at a time, and a cut at every offset, give the same.
template <typename MakeCodec>
std::string transcript_of(std::string_view wire, MakeCodec&& make) {
  auto whole = make();
  whole->feed(wire);
  const std::string expected = whole->transcript();
  auto bytewise = make();
  for (size_t i = 0; i < wire.size(); ++i) {
    bytewise->feed(wire.substr(i, 1));
  }
  EXPECT_EQ(bytewise->transcript(), expected) << "byte by byte: " << wire.substr(0, 200);
  const size_t step = wire.size() / 256 + 1;
  for (size_t cut = 1; cut < wire.size(); cut += step) {
    auto split = make();
    split->feed(wire.substr(0, cut));
    split->feed(wire.substr(cut));
    const std::string transcript = split->transcript();
    EXPECT_EQ(transcript, expected) << "cut at " << cut << ": " << wire.substr(0, 200);
    if (transcript != expected) {
      break;
    }
  }
  return expected;
}

inline std::string requests_of(std::string_view wire, const CodecOptions& options = {}) {
  return transcript_of(wire, [&] { return std::make_unique<ServerUnderTest>(options); });
}

// The transcript of a response to a request with that method.
inline std::string response_of(std::string_view wire, std::string_view method = "GET", const CodecOptions& options = {},
                               std::string_view upgrade = {}) {
  return transcript_of(wire, [&] {
    auto client = std::make_unique<ClientUnderTest>(options);
    client->send(method, upgrade);
    return client;
  });
}

}  // namespace sluice::http::http1
