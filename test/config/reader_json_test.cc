#include <gtest/gtest.h>

#include "test/config/reader_support.h"

namespace sluice::config {
namespace {

std::string error(std::string_view text) { return read(text, Format::Json)->error(); }

TEST(ReaderJson, ReadsWhatEnvoyReads) {
  for (const char* text : {
           "{}",
           " {} ",
           R"({"node":{"id":"a"}})",
           "{'node':{'id':'a'}}",
           R"({node:{id:"a"}})",
           R"({"node":{"id":"a",}})",
           R"({"node":{"client_features":["a",]}})",
           R"({"node":{"id":"\u00e9\ud83d\ude00\/\b\f\n\r\t\\\"\'"}})",
           "{\"node\":{\"id\":\"a\tb\nc\"}}",
           R"({"node":{"id":"\u0000"}})",
           R"({"node" : null , })",
           R"({"node":{"metadata":{"a":[1,[2,{"b":null}]],"c":1e3,"d":12345678901234567890123}}})",
           R"({"static_resources":{"clusters":[{"name":"a","perConnectionBufferLimitBytes":4294967295}]}})",
           R"({"static_resources":{"clusters":[{"name":"a","per_connection_buffer_limit_bytes":1.0}]}})",
           R"({"static_resources":{"clusters":[{"name":"a","per_connection_buffer_limit_bytes":1E+2}]}})",
           R"({"static_resources":{"clusters":[{"name":"a","lb_policy":1.0}]}})",
           R"({"static_resources":{"clusters":[{"name":"a","type":null,"type":"STATIC"}]}})",
           R"({"node":{"id":null,"id":"x"}})",
       }) {
    EXPECT_EQ(error(text), "(none)") << text;
  }
}

TEST(ReaderJson, RefusesWhatEnvoyRefuses) {
  for (const char* text : {
           "",
           "{}x",
           "{} {}",
           "[]",
           "null",
           "\"a\"",
           "{node:{id:a}}",
           R"({"node":{"id":"a",,}})",
           R"({"node":{,"id":"a"}})",
           R"({"node":{"id":"a" "cluster":"b"}})",
           R"({"node":{"id":"\ud83d"}})",
           R"({"node":{"id":"\ud83d\u0041"}})",
           R"({"node":{"id":"\udc00"}})",
           R"({"node":{"id":"\x41"}})",
           R"({"node":{"id":"\u00"}})",
           "{} // c",
           "/* c */ {}",
           R"({"node":{"metadata":{"n":NaN}}})",
           R"({"node":{"metadata":{"n":tru}}})",
           R"({"node":{"metadata":{"n":trueX}}})",
           R"({"node":{"metadata":{"n":010}}})",
           R"({"node":{"metadata":{"n":+1}}})",
           R"({"node":{"metadata":{"n":.5}}})",
           R"({"node":{"metadata":{"n":1.}}})",
           R"({"node":{"metadata":{"n":1e}}})",
           R"({"node":{"metadata":{"n":-}}})",
           R"({"node":{"metadata":{"n":5x}}})",
           R"({"node":{"metadata":{"n":1e400}}})",
           R"({"node":{"metadata":{b-c:2}}})",
           R"({"node":{"id":5}})",
           R"({"node":{"id":"a"})",
           R"({"node":{"id":"a}})",
           "{1:2}",
           "{true:2}",
           "{,}",
           " {",
           R"({"node":{"metadata":{"a":1,"a":2}}})",
           R"({"node":{"dynamic_parameters":{"a":{},"a":{}}}})",
           R"({"static_resources":{"clusters":[{"type":"STATIC","type":"STATIC"}]}})",
           "\xef\xbb\xbf{}",
           "{\"node\":{\"id\":\"\xff\"}}",
           "{\"node\":{\"id\":\"\xed\xa0\x80\"}}",
           "\x0b{}",
           "static_resources: {}",
       }) {
    EXPECT_NE(error(text), "(none)") << text;
  }
}

TEST(ReaderJson, EqualKeysMerge) {
  const auto node = read(R"({"node":{"id":"a"},"node":{"cluster":"b"}})", Format::Json);
  EXPECT_EQ(node->message.node().id(), "a");
  EXPECT_EQ(node->message.node().cluster(), "b");
  const auto list = read(R"({"static_resources":{"clusters":[{"name":"a"}],"clusters":[{"name":"b"}]}})", Format::Json);
  EXPECT_EQ(list->message.static_resources().clusters_size(), 2);
}

TEST(ReaderJson, TextsAndPlaces) {
  const auto parsed = read("{\"node\":\n  {\"id\": \"a\\u00e9b\", \"cluster\": 'x y'}}", Format::Json);
  EXPECT_EQ(parsed->message.node().id(), "a\u00e9b");
  EXPECT_EQ(parsed->message.node().cluster(), "x y");
  const auto& node = parsed->message.node();
  EXPECT_EQ(parsed->map.at(node), (Position{1, 2, 0}));
  EXPECT_EQ(parsed->map.at(node, 2), (Position{2, 33, 0}));
  EXPECT_EQ(error("{\"node\":\n  {\"id\": 5}}"), "2:10: node.id: expected a text, got the number 5; put it in quotes");
  EXPECT_EQ(error("{\"node\":\n  x}"), "2:3: not JSON: expected a value, found the word x without quotes");
}

TEST(ReaderJson, DeepNestingIsRefused) {
  const auto nested = [](size_t n) {
    return R"({"node":{"metadata":{"a":)" + std::string(n, '[') + std::string(n, ']') + "}}}";
  };
  EXPECT_EQ(error(nested(97)), "(none)");
  EXPECT_EQ(error(nested(98)), "1:123: not JSON: more than 100 lists and maps within each other");
  EXPECT_NE(error(std::string(100000, '[')), "(none)");
}

}  // namespace
}  // namespace sluice::config
