#include "proxy/client_address.h"

#include <gtest/gtest.h>

#include "net/machine_address.h"
#include "test/proxy_preparation/message_bench.h"

namespace sluice::proxy {
namespace {

using test::Bench;
using test::Lines;

TEST(AddressInForwardedFor, CountsFromTheRight) {
  const struct {
    std::string list;
    uint32_t skip;
    std::string expected;  // empty: none
    bool single;
  } table[] = {
      {"203.0.113.9", 0, "203.0.113.9", true},
      {" 203.0.113.9 ", 0, "203.0.113.9", true},
      {"203.0.113.9, 198.51.100.7", 0, "198.51.100.7", false},
      {"203.0.113.9, 198.51.100.7", 1, "203.0.113.9", false},
      {"203.0.113.9, 198.51.100.7", 2, "", false},
      {"192.0.2.77, 203.0.113.9,198.51.100.7", 1, "203.0.113.9", false},
      {"2001:db8::5", 0, "2001:db8::5", true},
      {"203.0.113.9:80", 0, "", false},
      {"[2001:db8::5]", 0, "", false},
      {"unknown", 0, "", false},
      {"", 0, "", false},
      {"1.2.3.4,", 0, "", false},
      {"1.2.3", 0, "", false},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.list);
    const Forwarded found = address_in_forwarded_for(row.list, row.skip);
    EXPECT_EQ(found.address ? found.address->ip_to_string() : "", row.expected);
    EXPECT_EQ(found.single, row.single);
  }
}

struct Case {
  std::string peer;
  Lines sent;
  std::string client;
  std::string list_after;  // x-forwarded-for
  bool internal = false;
};

void check(const model::HttpPlan& plan, std::string_view machine_ip, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.peer + " " + (c.sent.empty() ? "-" : c.sent[0].second));
    Bench bench;
    const net::Address remote = test::ip(c.peer);
    http::RequestHeaders* request = bench.request("/", c.sent);
    const ClientAddress found =
        find_client(plan, Peer{remote, remote, false, false, false, machine_ip}, request->fields);
    EXPECT_EQ(found.address->ip_to_string(), c.client);
    EXPECT_EQ(found.internal, c.internal);
    EXPECT_EQ(request->fields.get(http::Token::kXForwardedFor), c.list_after);
  }
}

TEST(FindClient, AtTheEdgeItIsThePeer) {
  model::HttpPlan plan;
  plan.use_remote_address = true;
  check(plan, "192.0.2.1",
        {{"127.0.0.5", {}, "127.0.0.5", "127.0.0.5"},
         {"127.0.0.5", {{"x-forwarded-for", "203.0.113.9"}}, "127.0.0.5", "203.0.113.9,127.0.0.5"},
         {"127.0.0.5", {{"x-forwarded-for", ""}}, "127.0.0.5", "127.0.0.5"},
         {"127.0.0.1", {}, "127.0.0.1", "192.0.2.1"},
         {"::1", {}, "::1", "192.0.2.1"},
         {"127.0.0.2", {}, "127.0.0.2", "127.0.0.2"},
         {"2001:db8::1", {}, "2001:db8::1", "2001:db8::1"}});
  check(plan, "", {{"127.0.0.1", {}, "127.0.0.1", "127.0.0.1"}});
  plan.represent_ipv4_as_mapped_ipv6 = true;
  check(plan, "", {{"50.0.0.1", {}, "50.0.0.1", "::FFFF:50.0.0.1"}, {"2001:db8::1", {}, "2001:db8::1", "2001:db8::1"}});
  plan.skip_xff_append = true;
  check(plan, "", {{"127.0.0.5", {{"x-forwarded-for", "203.0.113.9"}}, "127.0.0.5", "203.0.113.9"}});
}

TEST(FindClient, WithTrustedHopsAtTheEdge) {
  model::HttpPlan plan;
  plan.use_remote_address = true;
  plan.xff_num_trusted_hops = 2;
  check(plan, "",
        {{"127.0.0.5", {}, "127.0.0.5", "127.0.0.5"},
         {"127.0.0.5", {{"x-forwarded-for", "203.0.113.9"}}, "127.0.0.5", "203.0.113.9,127.0.0.5"},
         {"127.0.0.5",
          {{"x-forwarded-for", "203.0.113.9,198.51.100.7"}},
          "203.0.113.9",
          "203.0.113.9,198.51.100.7,127.0.0.5"},
         {"127.0.0.5",
          {{"x-forwarded-for", "192.0.2.77,203.0.113.9,198.51.100.7"}},
          "203.0.113.9",
          "192.0.2.77,203.0.113.9,198.51.100.7,127.0.0.5"}});
}

TEST(FindClient, InAMeshItIsWhatTheListSays) {
  model::HttpPlan plan;
  check(plan, "192.0.2.1",
        {{"127.0.0.5", {}, "127.0.0.5", ""},
         {"127.0.0.5", {{"x-forwarded-for", "203.0.113.9, 198.51.100.7"}}, "198.51.100.7", "203.0.113.9, 198.51.100.7"},
         {"127.0.0.5", {{"x-forwarded-for", "junk"}}, "127.0.0.5", "junk"}});
  plan.xff_num_trusted_hops = 1;
  check(
      plan, "192.0.2.1",
      {{"127.0.0.5", {{"x-forwarded-for", "203.0.113.9"}}, "127.0.0.5", "203.0.113.9"},
       {"127.0.0.5", {{"x-forwarded-for", "203.0.113.9, 198.51.100.7"}}, "203.0.113.9", "203.0.113.9, 198.51.100.7"}});
}

TEST(FindClient, InternalNeedsARangeAndNoProxyBetween) {
  model::HttpPlan plan;
  plan.internal_ranges = {*net::Cidr::from("127.0.0.5", 32), *net::Cidr::from("10.0.0.0", 8)};
  check(plan, "",
        {{"127.0.0.5", {}, "127.0.0.5", "", false},
         {"127.0.0.6", {{"x-forwarded-for", "10.1.1.1"}}, "10.1.1.1", "10.1.1.1", true},
         {"127.0.0.6", {{"x-forwarded-for", "10.1.1.1,10.2.2.2"}}, "10.2.2.2", "10.1.1.1,10.2.2.2", false},
         {"127.0.0.5", {{"x-forwarded-for", "junk"}}, "127.0.0.5", "junk", false}});
  plan.use_remote_address = true;
  check(plan, "",
        {{"127.0.0.5", {}, "127.0.0.5", "127.0.0.5", true},
         {"127.0.0.5", {{"x-forwarded-for", "203.0.113.9"}}, "127.0.0.5", "203.0.113.9,127.0.0.5", false},
         {"127.0.0.5", {{"x-forwarded-for", "10.1.1.1"}}, "127.0.0.5", "10.1.1.1,127.0.0.5", false},
         {"127.0.0.6", {}, "127.0.0.6", "127.0.0.6", false}});
}

TEST(FindClient, AUnixPeerIsNotAppended) {
  Bench bench;
  model::HttpPlan plan;
  plan.use_remote_address = true;
  const net::Address remote = *net::Address::from_unix("@peer");
  http::RequestHeaders* request = bench.request("/");
  EXPECT_EQ(find_client(plan, Peer{remote, remote, false, false, false, "192.0.2.1"}, request->fields).address,
            &remote);
  EXPECT_FALSE(request->fields.has(http::Token::kXForwardedFor));
}

TEST(FindClient, AUnixPeerIsInternalWhereItSaysSo) {
  const net::Address remote = *net::Address::from_unix("@peer");
  const auto internal = [&remote](const model::HttpPlan& plan, const Lines& sent) {
    Bench bench;
    return find_client(plan, Peer{remote, remote}, bench.request("/", sent)->fields).internal;
  };
  model::HttpPlan plan;
  plan.use_remote_address = true;
  plan.internal_ranges = {*net::Cidr::from("10.0.0.0", 8)};
  EXPECT_FALSE(internal(plan, {}));
  plan.internal_unix_sockets = true;
  EXPECT_TRUE(internal(plan, {}));
  EXPECT_FALSE(internal(plan, {{"x-forwarded-for", "10.1.1.1"}}));
  plan.use_remote_address = false;
  EXPECT_FALSE(internal(plan, {}));
  EXPECT_TRUE(internal(plan, {{"x-forwarded-for", "10.1.1.1"}}));
}

TEST(MachineIp, IsAnAddressOfThisMachine) {
  const Result<net::Address> address = net::Address::from_ip(net::machine_ip(), 0);
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->kind(), net::AddressKind::kIp4);
  EXPECT_NE(address->ip_to_string(), "0.0.0.0");
}

TEST(IpText, IsTheCanonicalForm) {
  Bench bench;
  for (const char* text :
       {"0.0.0.0", "255.255.255.255", "10.0.200.3", "::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1",
        "2001:0:0:1::1", "1:2:3:4:5:6:7:8", "fe80::1:0:0:1", "::ffff:1.2.3.4", "0:1:2:3:4:5:6:0"}) {
    EXPECT_EQ(ip_text(test::ip(text), bench.arena), text);
    EXPECT_EQ(ip_text(test::ip(text), bench.arena), test::ip(text).ip_to_string());
  }
}

}  // namespace
}  // namespace sluice::proxy
