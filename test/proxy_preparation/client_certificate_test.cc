#include "proxy/client_certificate.h"

#include <gtest/gtest.h>

#include "net/tls_facts.h"
#include "test/proxy_preparation/message_bench.h"

namespace sluice::proxy {
namespace {

using test::Bench;

constexpr std::string_view kPem = "-----BEGIN CERTIFICATE-----%0AAB%2BC%0A-----END CERTIFICATE-----%0A";

struct Client : net::TlsTexts {
  Client() {
    peer_presented = peer_validated = true;
    peer_fingerprint_256 = "ab12";
    peer_subject = R"(CN=a\"b)";
    peer_issuer = "CN=ca";
    peer_uris = uris;
    chain = std::string(kPem).append(kPem);
    peer_chain = chain;
    peer_certificate = kPem;
  }
  std::vector<std::string> uris = {"spiffe://td/a", "spiffe://td/b"};
  std::string chain;
};

std::string forwarded(const model::HttpPlan& plan, std::string_view came) {
  const Client client;
  Bench bench;
  test::Lines lines;
  if (!came.empty()) lines.emplace_back("x-forwarded-client-cert", came);
  http::RequestHeaders* request = bench.request("/", lines);
  forward_client_certificate(plan, client, request->fields);
  return std::string(request->fields.get(http::Token::kXForwardedClientCert));
}

TEST(ForwardClientCertificate, JsonGoesIntoAnArrayOnly) {
  model::HttpPlan plan;
  plan.client_cert = model::ClientCertDetails::kAppendForward;
  plan.client_cert_parts.json = true;
  EXPECT_EQ(forwarded(plan, ""), R"([{"hash":"ab12"}])");
  EXPECT_EQ(forwarded(plan, R"([{"hash":"1"}])"), R"([{"hash":"1"},{"hash":"ab12"}])");
  EXPECT_EQ(forwarded(plan, "[]"), R"([{"hash":"ab12"}])");
  EXPECT_EQ(forwarded(plan, "[ ]"), R"([ {"hash":"ab12"}])");
  EXPECT_EQ(forwarded(plan, "["), "[,Hash=ab12");
  EXPECT_EQ(forwarded(plan, "]"), "],Hash=ab12");
  EXPECT_EQ(forwarded(plan, "Hash=1"), "Hash=1,Hash=ab12");
  plan.client_cert = model::ClientCertDetails::kSanitizeSet;
  EXPECT_EQ(forwarded(plan, R"([{"hash":"1"}])"), R"([{"hash":"ab12"}])");
}

TEST(ForwardClientCertificate, PartsAsJson) {
  model::HttpPlan plan;
  plan.client_cert = model::ClientCertDetails::kSanitizeSet;
  plan.client_cert_parts = {
      .cert = true, .chain = true, .subject = true, .uri = true, .dns = true, .issuer = true, .json = true};
  const std::string pem = R"("-----BEGIN CERTIFICATE-----\nAB+C\n-----END CERTIFICATE-----\n")";
  EXPECT_EQ(forwarded(plan, ""), R"([{"hash":"ab12","cert":)" + pem + R"(,"chain":[)" + pem + "," + pem +
                                     R"(],"subject":"CN=a\\\"b","uri":["spiffe://td/a","spiffe://td/b"],)" +
                                     R"("issuer":"CN=ca"}])");
  plan.client_cert_parts.json = false;
  EXPECT_TRUE(
      forwarded(plan, "").ends_with(R"(;Subject="CN=a\"b";URI=spiffe://td/a;URI=spiffe://td/b;Issuer="CN=ca")"));
}

}  // namespace
}  // namespace sluice::proxy
