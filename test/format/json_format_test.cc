#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/formatter.h"
#include "format/json_text.h"
#include "test/format/sample_facts.h"

namespace sluice::format {
namespace {

JsonNode text(std::string value) { return {.kind = JsonNode::Kind::kText, .text = std::move(value)}; }
JsonNode number(double value) { return {.kind = JsonNode::Kind::kNumber, .number = value}; }
JsonNode boolean(bool value) { return {.kind = JsonNode::Kind::kBoolean, .boolean = value}; }
JsonNode map(std::vector<JsonNode::Member> members) {
  return {.kind = JsonNode::Kind::kMap, .members = std::move(members)};
}
JsonNode list(std::vector<JsonNode> items) { return {.kind = JsonNode::Kind::kList, .items = std::move(items)}; }

class JsonFormatTest : public testing::Test, public SampleFacts {
 protected:
  std::string line(const JsonNode& root, ParseOptions options = {}) {
    auto formatter = Formatter::parse_json(root, options);
    return formatter.ok() ? formatter->format(facts) : formatter.error();
  }
};

// access_log/json_types.
TEST_F(JsonFormatTest, TypesAsRecorded) {
  request.fields.add("x-q", "a\"b\\c\td");
  const JsonNode root =
      map({{"z", text("%RESPONSE_CODE%")},
           {"a", text("%BYTES_SENT%")},
           {"text", text("code %RESPONSE_CODE%")},
           {"missing", text("%REQ(x-none)%")},
           {"mixed_missing", text("-%REQ(x-none)%-")},
           {"nested",
            map({{"num", number(12)}, {"inner", map({{"deep", text("%REQ(:METHOD)%")}})}, {"flag", boolean(true)}})},
           {"list", list({text("%PROTOCOL%"), map({{"k", text("%ROUTE_NAME%")}}), number(3)})},
           {"quote", text("%REQ(x-q)%")},
           {"port", text("%DOWNSTREAM_LOCAL_PORT%")},
           {"grpc", text("%GRPC_STATUS_NUMBER%")},
           {"literal", text("plain")}});
  EXPECT_EQ(
      line(root),
      R"({"a":2,"grpc":null,"list":["HTTP/1.1",{"k":null},3],"literal":"plain","missing":null,"mixed_missing":"---",)"
      R"("nested":{"flag":true,"inner":{"deep":"GET"},"num":12},"port":10000,"quote":"a\"b\\c\td","text":"code 200","z":200})"
      "\n");
}

// access_log/omit_empty.
TEST_F(JsonFormatTest, OmittedValuesTakeTheirKeysAlong) {
  const JsonNode root = map({{"code", text("%RESPONSE_CODE%")},
                             {"none", text("%REQ(x-none)%")},
                             {"mixed", text("a%REQ(x-none)%b")},
                             {"nest", map({{"none", text("%REQ(x-none)%")}})},
                             {"list", list({text("%REQ(x-none)%"), text("%PROTOCOL%")})}});
  EXPECT_EQ(line(root, {.unset = ParseOptions::Unset::kNothing}), R"({"code":200,"list":["HTTP/1.1"],"mixed":"ab"})"
                                                                  "\n");
  EXPECT_EQ(line(map({{"none", text("%REQ(x-none)%")}}), {.unset = ParseOptions::Unset::kNothing}), "{}\n");
}

TEST_F(JsonFormatTest, LengthsCutBeforeEscaping) {
  request.fields.add("x-q", "\"\"\"");
  EXPECT_EQ(line(map({{"q", text("%REQ(x-q):2%")}})), "{\"q\":\"\\\"\\\"\"}\n");
}

// What Envoy 1.40 wrote for these bytes, but for the spelling of the quote.
TEST_F(JsonFormatTest, BytesThatAreNoText) {
  request.fields.add("x-inv", "a\xff\xc3\xa9\x80z");
  request.fields.add("x-utf8", "\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(line(map({{"i", text("%REQ(x-inv)%")}, {"u", text("%REQ(x-utf8)%")}})),
            "{\"i\":\"a\\u00ff\\u00c3\\u00a9\\u0080z\",\"u\":\"\xc3\xa9\xf0\x9f\x98\x80\"}\n");
}

TEST_F(JsonFormatTest, ErrorsNameTheKey) {
  EXPECT_EQ(line(map({{"a", map({{"b", text("%NOPE%")}})}})), "a: b: unknown operator NOPE");
}

TEST(JsonText, Numbers) {
  std::string out;
  for (const double number : {0.0, 12.0, -3.0, 1.5, 0.1, 1e21}) {
    append_json_number(out, number);
    out += ' ';
  }
  EXPECT_EQ(out, "0 12 -3 1.5 0.1 1e+21 ");
}

TEST(JsonText, SurrogatesAndOverlongFormsAreNoUtf8) {
  for (const char* bytes : {"\xed\xa0\x80", "\xc0\xaf", "\xe0\x80\x80", "\xf5\x80\x80\x80", "\xc3"}) {
    std::string out;
    append_json_string(out, bytes);
    EXPECT_THAT(out, testing::HasSubstr("\\u00")) << out;
  }
}

TEST(JsonText, ControlCharacters) {
  std::string out;
  append_json_string(out, std::string_view("\x01\n\b\f\r\0x", 7));
  EXPECT_EQ(out, "\"\\u0001\\n\\b\\f\\r\\u0000x\"");
}

}  // namespace
}  // namespace sluice::format
