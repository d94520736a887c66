// NAME in a whole proxy, in virtual time.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

// The plain proxy with the filter before its router, and a route with settings of its own.
std::string with_filter(std::string_view fields) {
  std::string yaml(kPlainProxy);
  const std::string_view list = "          http_filters:\n";
  yaml.insert(yaml.find(list) + list.size(),
              cat("          - {name: it, typed_config: {\"@type\": type.googleapis.com/sluice_filters.NAME.v1.Name, ", fields,
                  "}}\n"));
  const std::string_view routes = "              routes:\n";
  yaml.insert(yaml.find(routes) + routes.size(),
              "              - match: {prefix: /own}\n"
              "                direct_response: {status: 200}\n"
              "                typed_per_filter_config:\n"
              "                  it: {\"@type\": type.googleapis.com/sluice_filters.NAME.v1.NamePerRoute, text: route}\n");
  return yaml;
}

SimOrigin::Respond ok() {
  return [](const std::string&, const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"; };
}

TEST(NameTest, WritesIntoEachAnswer) {
  SimProxy proxy(1, with_filter("text: hello"), ok());
  ASSERT_EQ(proxy.error, "");
  const auto client = proxy.connect();
  client->send("GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /own HTTP/1.1\r\nhost: a\r\n\r\n");
  ASSERT_TRUE(proxy.world.run_until([&] { return client->received().find("x-NAME: route") != std::string::npos; }));
  EXPECT_NE(client->received().find("x-NAME: hello"), std::string::npos);
}

TEST(NameTest, WhatIsWrongIsRefused) {
  SimProxy proxy(1, with_filter(""), ok());
  EXPECT_NE(proxy.error.find("text"), std::string::npos) << proxy.error;
}

}  // namespace
}  // namespace sluice::test
