// Policies: how rules are joined, and what each kind looks at.
#include "model/rbac.h"

#include <gtest/gtest.h>

#include "test/model/messages.h"

namespace sluice::model {
namespace {

using match::StringMatcher;

RbacRule any() { return {RbacRule::Any{}}; }
RbacRule header(std::string_view name, std::string_view value) {
  return {http::HeaderMatcher(name, StringMatcher::exact(value))};
}
RbacRule path(std::string_view prefix) { return {RbacRule::Path{StringMatcher::prefix(prefix)}}; }
RbacRule opposite(RbacRule rule) {
  RbacRule::Not out;
  out.rule.push_back(std::move(rule));
  return {std::move(out)};
}
Rbac::Policy policy(std::string name, RbacRule permission, RbacRule principal) {
  Rbac::Policy out{std::move(name), {}, {}};
  out.permissions.push_back(std::move(permission));
  out.principals.push_back(std::move(principal));
  return out;
}
template <typename... Policies>
Rbac rbac(RbacAction action, Policies... policies) {
  std::vector<Rbac::Policy> list;
  (list.push_back(std::move(policies)), ...);
  return Rbac(action, std::move(list));
}

class RbacTest : public ModelTest {
 protected:
  std::string ask(const Rbac& rules) {
    const Rbac::Verdict verdict = rules.ask(facts_);
    return std::string(verdict.allowed ? "allowed " : "denied ") +
           (verdict.policy.empty() ? "-" : std::string(verdict.policy));
  }
};

TEST_F(RbacTest, PermissionsAndPrincipalsMustBothHold) {
  const Rbac rules =
      rbac(RbacAction::kAllow, policy("b", path("/x"), header("role", "admin")), policy("a", path("/open"), any()));
  request("/x", "h", {{"role", "admin"}});
  EXPECT_EQ(ask(rules), "allowed b");
  request("/x", "h", {{"role", "guest"}});
  EXPECT_EQ(ask(rules), "denied -");
  request("/open/x");
  EXPECT_EQ(ask(rules), "allowed a");
}

TEST_F(RbacTest, PoliciesAreAskedInTheOrderOfTheirNames) {
  const Rbac rules = rbac(RbacAction::kDeny, policy("z", any(), any()), policy("a", path("/a"), any()));
  request("/a");
  EXPECT_EQ(ask(rules), "denied a");
  request("/b");
  EXPECT_EQ(ask(rules), "denied z");
}

TEST_F(RbacTest, WithoutPoliciesAllowDeniesDenyAllowsAndLogAllows) {
  request("/");
  EXPECT_EQ(ask(rbac(RbacAction::kAllow)), "denied -");
  EXPECT_EQ(ask(rbac(RbacAction::kDeny)), "allowed -");
  EXPECT_EQ(ask(rbac(RbacAction::kLog)), "allowed -");
  EXPECT_EQ(rbac(RbacAction::kLog).ask(facts_).log_hint, false);
  EXPECT_EQ(rbac(RbacAction::kLog, policy("l", any(), any())).ask(facts_).log_hint, true);
  EXPECT_EQ(rbac(RbacAction::kDeny).ask(facts_).log_hint, std::nullopt);
}

TEST_F(RbacTest, EachLineOfAHeaderIsMatchedAlone) {
  const Rbac deny = rbac(RbacAction::kDeny, policy("p", header("x", "bad"), any()));
  request("/", "h", {{"x", "good"}, {"x", "bad"}});
  EXPECT_EQ(ask(deny), "denied p");
  request("/", "h", {{"x", "good,bad"}});
  EXPECT_EQ(ask(deny), "allowed -");
}

TEST_F(RbacTest, ThePathIsWithoutItsQuery) {
  const Rbac deny =
      rbac(RbacAction::kDeny, policy("p", RbacRule{RbacRule::Path{StringMatcher::exact("/admin")}}, any()));
  request("/admin?x=/open");
  EXPECT_EQ(ask(deny), "denied p");
  request("/open?x=/admin");
  EXPECT_EQ(ask(deny), "allowed -");
}

TEST_F(RbacTest, AddressesPortsAndOpposites) {
  const net::Address peer = *net::Address::from_ip("10.0.0.1", 40000);
  const net::Address client = *net::Address::from_ip("192.0.2.1", 0);
  const net::Address local = *net::Address::from_ip("127.0.0.1", 8080);
  request("/");
  facts_.direct_remote = &peer;
  facts_.remote = &client;
  facts_.local = &local;
  using Whose = RbacRule::Ip::Whose;
  const auto ip = [](Whose whose, const char* range, uint32_t bits) {
    return RbacRule{RbacRule::Ip{whose, *net::Cidr::from(range, bits)}};
  };
  EXPECT_TRUE(ip(Whose::kPeer, "10.0.0.0", 8).holds(facts_));
  EXPECT_FALSE(ip(Whose::kClient, "10.0.0.0", 8).holds(facts_));
  EXPECT_TRUE(ip(Whose::kClient, "192.0.2.0", 24).holds(facts_));
  EXPECT_TRUE(ip(Whose::kDestination, "127.0.0.1", 32).holds(facts_));
  EXPECT_TRUE((RbacRule{RbacRule::Port{8080, 8081}}).holds(facts_));
  EXPECT_FALSE((RbacRule{RbacRule::Port{1, 8080}}).holds(facts_));
  EXPECT_FALSE(opposite(any()).holds(facts_));
}

TEST_F(RbacTest, NamesOfCertificates) {
  request("/");
  const RbacRule some{RbacRule::Authenticated{}};
  const RbacRule bar{RbacRule::Authenticated{StringMatcher::suffix("/bar")}};
  EXPECT_FALSE(some.holds(facts_));
  net::TlsTexts tls;
  facts_.downstream_tls = &tls;
  EXPECT_TRUE(some.holds(facts_));
  EXPECT_FALSE(bar.holds(facts_));
  tls.peer_uri_san = "spiffe://a/foo,spiffe://a/bar";
  EXPECT_TRUE(bar.holds(facts_));
  tls.peer_uri_san = "spiffe://a/bar/x";
  EXPECT_FALSE(bar.holds(facts_));
}

TEST_F(RbacTest, MetadataAndFilterState) {
  request("/");
  using Source = RbacRule::OfMetadata::Source;
  const RbacRule of_filters{
      RbacRule::OfMetadata{Source::kDynamic, {"n", {"k"}, match::ValueMatcher(StringMatcher::exact("v")), false}}};
  const RbacRule of_route{
      RbacRule::OfMetadata{Source::kRoute, {"n", {"k"}, match::ValueMatcher(StringMatcher::exact("v")), false}}};
  const RbacRule state{FilterStateMatcher{"key", StringMatcher::exact("v")}};
  EXPECT_FALSE(of_filters.holds(facts_));
  EXPECT_FALSE(state.holds(facts_));
  Metadata metadata;
  metadata.set("n", "k", Value("v"));
  facts_.metadata = &metadata;
  EXPECT_TRUE(of_filters.holds(facts_));
  EXPECT_FALSE(of_route.holds(facts_));
  facts_.route_metadata = &metadata;
  EXPECT_TRUE(of_route.holds(facts_));
  FilterState objects;
  objects.set({.key = "key", .factory = "envoy.string", .text = "v"});
  facts_.filter_state = &objects;
  EXPECT_TRUE(state.holds(facts_));
}

}  // namespace
}  // namespace sluice::model
