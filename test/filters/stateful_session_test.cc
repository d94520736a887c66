#include "filters/http/stateful_session/stateful_session.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace sluice::filters::stateful_session {
namespace {

TEST(StatefulSession, ACookieSaysWhereAndHowLong) {
  const auto read = decode_session(encode_session({"127.0.0.1:8080", 1'800'000'000}));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->address, "127.0.0.1:8080");
  EXPECT_EQ(read->expires, 1'800'000'000u);
  EXPECT_EQ(decode_session(encode_session({"[::1]:80", 0}))->expires, 0u);
  // As Envoy writes it.
  EXPECT_EQ(encode_session({"1.2.3.4:80", 0}), encode_base64("\x0a\x0a"
                                                             "1.2.3.4:80"));
}

TEST(StatefulSession, OldCookiesHaveTheAddressAlone) {
  EXPECT_EQ(decode_session(encode_base64("1.2.3.4:80"))->address, "1.2.3.4:80");
}

TEST(StatefulSession, WhatAClientMakesUp) {
  EXPECT_FALSE(decode_session("").has_value());
  EXPECT_FALSE(decode_session("!").has_value());
  EXPECT_FALSE(decode_session(encode_base64(std::string("\x10\x05", 2))).has_value());  // no address
  // Lengths that lie give the bytes as an address, which no host has.
  const std::string lie(
      "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
      "x",
      11);
  EXPECT_EQ(decode_session(encode_base64(lie))->address, lie);
}

TEST(StatefulSession, PathsThatHaveASession) {
  Settings settings;
  EXPECT_TRUE(settings.covers("/any"));
  settings.path = "/app";
  for (const char* path : {"/app", "/app/x", "/app?q", "/app#f"}) EXPECT_TRUE(settings.covers(path)) << path;
  for (const char* path : {"/application", "/", "/ap"}) EXPECT_FALSE(settings.covers(path)) << path;
  settings.path = "/dir/";
  EXPECT_TRUE(settings.covers("/dir/x"));
  EXPECT_FALSE(settings.covers("/dir"));
}

}  // namespace
}  // namespace sluice::filters::stateful_session
