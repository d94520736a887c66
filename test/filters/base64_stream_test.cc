#include "filters/http/grpc_web/base64_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "base/base64.h"

namespace sluice::filters::grpc_web {
namespace {

struct Base64Stream : ::testing::Test {
  // In pieces of `cut` bytes; nothing when it was refused.
  std::string read(std::string_view text, size_t cut) {
    Base64Reader reader;
    std::string out;
    for (size_t at = 0; at < text.size(); at += cut) {
      buffer::Buffer data(slabs);
      data.append_copy(text.substr(at, cut));
      if (!reader.read(data)) return "refused";
      out += data.to_string();
    }
    return reader.complete() ? out : out + " and a rest";
  }
  std::string write(std::string_view bytes, size_t cut) {
    Base64Writer writer;
    std::string out;
    for (size_t at = 0; at < bytes.size(); at += cut) {
      buffer::Buffer data(slabs);
      data.append_copy(bytes.substr(at, cut));
      writer.write(data);
      out += data.to_string();
    }
    buffer::Buffer end(slabs);
    writer.finish(end);
    return out + end.to_string();
  }
  Owner owner{"test"};
  buffer::SlabPool slabs{owner};
};

std::string message(size_t bytes) {
  std::string out(5, '\0');
  for (int i = 0; i < 4; ++i) out[4 - i] = static_cast<char>(bytes >> (8 * i));
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(i * 7);
  return out;
}

TEST_F(Base64Stream, AnyCutReadsTheSame) {
  std::string bytes, text;
  for (const size_t size : {0, 1, 2, 3, 4, 5000, 12290}) {
    bytes += message(size);
    text += encode_base64(message(size));
  }
  for (const size_t cut : {1, 2, 3, 4, 5, 7, 4096, 4097, 100000}) {
    EXPECT_EQ(read(text, cut), bytes) << cut;
    EXPECT_EQ(write(bytes, cut), text) << cut;
  }
}

TEST_F(Base64Stream, WhatIsNoBase64IsRefused) {
  for (const std::string_view text : {"AA*A", "A===", "====", "=AAA", "AA=A", "AAB=", "AB==", "AAA\n", "AA-_"})
    EXPECT_EQ(read(text, 4), "refused") << text;
  EXPECT_EQ(read("AAAAAAA", 3), std::string("\0\0\0 and a rest", 14));
  EXPECT_EQ(read("", 1), "");
}

TEST_F(Base64Stream, AMessageThatIsNotWholeIsPaddedAtTheEnd) {
  EXPECT_EQ(write(message(10).substr(0, 8), 1), encode_base64(message(10).substr(0, 8)));
  EXPECT_EQ(write(message(10).substr(0, 2), 2), encode_base64(message(10).substr(0, 2)));
}

}  // namespace
}  // namespace sluice::filters::grpc_web
