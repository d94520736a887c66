// The names of certificates.
#include <gtest/gtest.h>

#include <string>

#include "net/tls/certificate.h"
#include "net/tls/verifier.h"
#include "test/net/tls_rig.h"

namespace sluice::net::tls {
namespace {

TEST(SanTest, EachTypeMatchesItsOwnOnly) {
  const auto exact = [](SanType type, std::string_view text) {
    return SanMatcher{type, match::StringMatcher::exact(text), {}};
  };
  EXPECT_TRUE(san_matches(exact(SanType::kDns, "a.test"), {SanType::kDns, "A.test", {}}));
  EXPECT_FALSE(san_matches(exact(SanType::kDns, "a.test"), {SanType::kUri, "a.test", {}}));
  EXPECT_FALSE(san_matches(exact(SanType::kUri, "a.test"), {SanType::kDns, "a.test", {}}));
  EXPECT_TRUE(san_matches(exact(SanType::kDns, "x.a.test"), {SanType::kDns, "*.a.test", {}}));
  EXPECT_FALSE(san_matches(exact(SanType::kDns, "x.y.a.test"), {SanType::kDns, "*.a.test", {}}));
  EXPECT_FALSE(san_matches(exact(SanType::kDns, "a.test"), {SanType::kDns, "*.a.test", {}}));
  const std::string with_nul("a.test\0.evil", 12);
  EXPECT_FALSE(san_matches({SanType::kDns, match::StringMatcher::prefix("a.test"), {}}, {SanType::kDns, with_nul, {}}));
  EXPECT_FALSE(san_matches(exact(SanType::kDns, with_nul), {SanType::kDns, with_nul, {}}));
  EXPECT_TRUE(
      san_matches({SanType::kOther, match::StringMatcher::exact("v"), "1.2.3"}, {SanType::kOther, "v", "1.2.3"}));
  EXPECT_FALSE(
      san_matches({SanType::kOther, match::StringMatcher::exact("v"), "1.2.3"}, {SanType::kOther, "v", "1.2.4"}));
}

TEST(SanTest, NamesOfACertificate) {
  const Pem pem = make_certificate("DNS:a.test,DNS:*.wild.test,URI:spiffe://td/a,IP:10.0.0.1,IP:fe80::1");
  const auto list = read_certificates(pem.certificate);
  ASSERT_TRUE(list);
  const X509& certificate = *list->front();
  EXPECT_TRUE(certificate_has_name(certificate, "a.test"));
  EXPECT_TRUE(certificate_has_name(certificate, "x.wild.test"));
  EXPECT_TRUE(certificate_has_name(certificate, "10.0.0.1"));
  EXPECT_TRUE(certificate_has_name(certificate, "fe80::1"));
  EXPECT_FALSE(certificate_has_name(certificate, "wild.test"));
  EXPECT_FALSE(certificate_has_name(certificate, "*.wild.test.evil"));
}

TEST(Spiffe, TrustDomains) {
  EXPECT_EQ(trust_domain_of("spiffe://td.test/ns/a"), "td.test");
  EXPECT_EQ(trust_domain_of("spiffe://td.test/"), "td.test");
  EXPECT_EQ(trust_domain_of("spiffe:///ns/a"), "");
  EXPECT_EQ(trust_domain_of("spiffe://td.test"), "");
  EXPECT_EQ(trust_domain_of("SPIFFE://td.test/a"), "");
  EXPECT_EQ(trust_domain_of("https://td.test/a"), "");
  EXPECT_EQ(trust_domain_of(""), "");
}

}  // namespace
}  // namespace sluice::net::tls
