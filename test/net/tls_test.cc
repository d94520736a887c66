// TLS over pipes in memory: both ends are ours, OpenSSL is real.
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "test/net/tls_rig.h"

namespace sluice::net::tls {
namespace {

// The texts are read from the connection when they are asked for first, also when it is broken by then.
TEST_F(TlsTest, FactsOfABrokenConnection) {
  connect();
  run();
  ASSERT_TRUE(client->connected);
  server_pipe->inbox += std::string("\x17\x03\x03\x00\x05wrong", 10);
  run();
  EXPECT_EQ(server->last, IoStatus::kFailed);
  ASSERT_NE(server->transport->tls(), nullptr);
  EXPECT_EQ(server->transport->tls()->texts().version, "TLSv1.3");
  EXPECT_EQ(server->transport->tls()->texts().server_name, "a.test");
  EXPECT_EQ(server->transport->tls()->texts().local_dns_san, "a.test,*.wild.test");
}

TEST_F(TlsTest, HandshakeAndFacts) {
  connect();
  run();
  ASSERT_TRUE(client->connected);
  EXPECT_EQ(client->transport->alpn(), "http/1.1");
  EXPECT_EQ(server->transport->alpn(), "http/1.1");
  ASSERT_NE(client->transport->tls(), nullptr);
  EXPECT_EQ(client->transport->tls()->texts().version, "TLSv1.3");
  EXPECT_EQ(client->transport->tls()->texts().peer_uri_san, "spiffe://td/a");
  EXPECT_EQ(client->transport->tls()->texts().peer_dns_san, "a.test,*.wild.test");
  EXPECT_FALSE(client->transport->tls()->peer_validated);
  EXPECT_EQ(server->transport->tls()->texts().local_dns_san, "a.test,*.wild.test");
  EXPECT_FALSE(server->transport->tls()->peer_presented);
  EXPECT_EQ(stat("listener.x.ssl.handshake"), 1u);
  EXPECT_EQ(stat("listener.x.ssl.versions.TLSv1.3"), 1u);
  EXPECT_EQ(stat("cluster.x.ssl.handshake"), 1u);
}

TEST_F(TlsTest, BytesArriveWholeThroughNarrowPipes) {
  connect();
  server_pipe->chunk = client_pipe->chunk = 777;
  server_pipe->capacity = client_pipe->capacity = 5000;
  run();
  ASSERT_TRUE(client->connected);
  std::string text;
  for (int i = 0; text.size() < 1'000'000; ++i) {
    append(text, i, ",");
  }
  client->send(text);
  server->send(text);
  EXPECT_FALSE(client->out.empty()) << "what the pipe did not take must stay with its sender";
  run();
  EXPECT_EQ(server->received, text);
  EXPECT_EQ(client->received, text);
  EXPECT_TRUE(client->out.empty());
}

TEST_F(TlsTest, AResponseLeavesInOneWrite) {
  connect();
  run();
  const int before = server_pipe->writes;
  server->out.append_copy("head");
  server->send(std::string(100'000, 'x'));
  EXPECT_EQ(server_pipe->writes - before, 1);
  run();
  EXPECT_EQ(client->received.size(), 100'004u);
}

TEST_F(TlsTest, CloseNotifyIsAnEndAndItsLackAFailure) {
  connect();
  run();
  client->send("bye");
  client->transport->shutdown_write();
  run();
  EXPECT_EQ(server->received, "bye");
  EXPECT_EQ(server->last, IoStatus::kEof);

  again();
  run();
  client->send("bye");
  server_pipe->ended = true;
  run();
  EXPECT_EQ(server->received, "bye");
  EXPECT_EQ(server->last, IoStatus::kFailed);
}

// Wherever the client's bytes end, the server gives up, and tells nobody that it is connected.
TEST_F(TlsTest, HandshakesThatEndAtEveryByte) {
  connect();
  run();
  const size_t whole = client_pipe->sent;
  ASSERT_GT(whole, 200u);
  for (size_t cut = 0; cut < whole; ++cut) {
    again();
    // The ClientHello has left already.
    const std::string hello = server_pipe->inbox;
    server_pipe->inbox.resize(std::min(cut, hello.size()));
    client_pipe->cut = cut;
    run();
    server_pipe->ended = true;
    run();
    ASSERT_TRUE(server->failed || server->last == IoStatus::kFailed) << cut;
    ASSERT_TRUE(server->received.empty());
  }
}

TEST_F(TlsTest, AHandshakeHasALimit) {
  connect();
  server_pipe->inbox.clear();
  loop.pass(std::chrono::milliseconds(1100));
  EXPECT_TRUE(server->failed);
  EXPECT_EQ(timeouts, 1);
}

TEST_F(TlsTest, OversizedClientHelloIsRefused) {
  connect();
  for (const char c : {'\x16', '\x03', '\x01', '\x00', '\x05', 'h', 'e', 'l', 'l', 'o'}) {
    server_pipe->inbox.assign(1, c);
    if (c == '\x16') {
      client_pipe->inbox.clear();
    }
    run();
  }
  EXPECT_TRUE(server->failed);
  EXPECT_EQ(server->transport->failure(),
            "TLS_error:|268435606:SSL routines:OPENSSL_internal:EXCESSIVE_MESSAGE_SIZE:TLS_error_end");
  EXPECT_EQ(stat("listener.x.ssl.connection_error"), 1u);
}

TEST_F(TlsTest, NamesThatARequestAsksForAreVerified) {
  client_options.validation.emplace().trusted_ca = pem.certificate;
  wishes.verify_names = {"x.wild.test"};
  connect();
  run();
  EXPECT_TRUE(client->connected);
  EXPECT_TRUE(client->transport->tls()->peer_validated);
  wishes.verify_names = {"x.y.wild.test"};
  again();
  run();
  EXPECT_FALSE(client->connected) << "a session of another name must not be resumed";
  EXPECT_TRUE(client->failed);
  EXPECT_EQ(stat("cluster.x.ssl.fail_verify_san"), 1u);
}

TEST_F(TlsTest, SessionsAreResumed) {
  connect();
  run();
  again();
  run();
  ASSERT_TRUE(client->connected);
  EXPECT_EQ(stat("cluster.x.ssl.session_reused"), 1u);
  EXPECT_EQ(stat("listener.x.ssl.session_reused"), 1u);
}

TEST_F(TlsTest, NewCertificatesWhileServing) {
  connect();
  run();
  ServerOptions broken = server_options;
  broken.certificates[0].key = make_certificate("DNS:other.test").key;
  EXPECT_FALSE(server_plan.prepare(broken));
  again();
  run();
  EXPECT_TRUE(client->connected);
  const Pem fresh = make_certificate("DNS:fresh.test");
  ServerOptions changed = server_options;
  changed.certificates[0].chain = fresh.certificate;
  changed.certificates[0].key = fresh.key;
  auto put = server_plan.prepare(changed);
  ASSERT_TRUE(put);
  client->send("old");
  (*put)();
  run();
  EXPECT_EQ(server->received, "old");
  again();
  run();
  EXPECT_EQ(client->transport->tls()->texts().peer_dns_san, "fresh.test");
}

// The same ticket keys, but another idea of who may come in.
TEST_F(TlsTest, ATicketNeverSkipsAStricterValidation) {
  server_options.ticket_keys = {std::string(80, 'k')};
  server_options.require_client_certificate = true;
  server_options.validation.emplace().trusted_ca = pem.certificate;
  client_options.certificates = server_options.certificates;
  connect();
  run();
  again();
  run();
  ASSERT_EQ(stat("listener.x.ssl.session_reused"), 1u);
  EXPECT_TRUE(server->transport->tls()->peer_presented);
  EXPECT_TRUE(server->transport->tls()->peer_validated);
  server_options.validation->sans.push_back({SanType::kDns, match::StringMatcher::exact("other.test"), {}});
  auto put = server_plan.prepare(server_options);
  ASSERT_TRUE(put) << put.error();
  (*put)();
  again();
  run();
  EXPECT_TRUE(server->failed);
  EXPECT_EQ(stat("listener.x.ssl.session_reused"), 1u);
  EXPECT_EQ(stat("listener.x.ssl.fail_verify_san"), 1u);
}

TEST_F(TlsTest, NoHandshakeFailsWhileCertificatesRotate) {
  connect();
  const Pem other = make_certificate("DNS:other.test");
  for (int rotation = 0; rotation < 100; ++rotation) {
    ServerOptions next = server_options;
    if (rotation % 2 == 0) {
      next.certificates[0].chain = other.certificate;
      next.certificates[0].key = other.key;
    }
    for (int i = 0; i < 5; ++i) {
      again();
      if (i == 2) {  // a ClientHello is on its way
        auto put = server_plan.prepare(next);
        ASSERT_TRUE(put) << put.error();
        (*put)();
      }
      run();
      ASSERT_TRUE(client->connected) << rotation;
    }
  }
}

}  // namespace
}  // namespace sluice::net::tls
