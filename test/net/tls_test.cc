// TLS over pipes in memory: both ends are ours, OpenSSL is real.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>

#include "base/owner.h"
#include "base/strings.h"
#include "net/tls/certificate.h"
#include "net/tls/tls_plan.h"
#include "net/tls/verifier.h"
#include "net/tls_facts.h"
#include "stats/registry.h"

namespace sluice::net::tls {
namespace {

class FakeLoop final : public event::Loop {
 public:
  FakeLoop() : Loop(MonotonicTime{1'000'000'000}) {}
  WallTime wall_now() const override { return {now_us_}; }
  void post(Function<void()>) override {}
  void run() override {}
  void stop() override {}
  void turn() { timers().run_due(); }
  void pass(Duration time) {
    timers().set_now(timers().now() + time);
    timers().run_due();
  }

 protected:
  void wake_for_turn_end() override {}

 private:
  int64_t now_us_ = static_cast<int64_t>(time(nullptr)) * 1'000'000;
};

// One end of a pipe; what is written stands in the other end's inbox. Thread: the test's.
class PipeEnd final : public Transport {
 public:
  ~PipeEnd() override {
    if (peer != nullptr) {
      peer->peer = nullptr;
    }
  }
  void set_handler(TransportHandler* handler) override { handler_ = handler; }
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override {
    if (inbox.empty()) {
      return {ended ? IoStatus::kEof : IoStatus::kAgain};
    }
    const size_t size = std::min({max, inbox.size(), lease.room().size(), chunk});
    const std::span<char> room = lease.room();
    inbox.copy(room.data(), size);
    inbox.erase(0, size);
    lease.use(size);
    into.append_borrowed({room.data(), size});
    return {IoStatus::kOk, size};
  }
  IoResult write(buffer::Buffer& from) override {
    if (closed_ || peer == nullptr) {
      return {IoStatus::kFailed};
    }
    size_t done = 0;
    while (!from.empty() && peer->inbox.size() < capacity) {
      const size_t size = std::min(from.front().size(), capacity - peer->inbox.size());
      // Beyond the cut nothing arrives.
      peer->inbox += from.front().substr(0, std::min(size, cut - std::min(cut, sent)));
      sent += size;
      done += size;
      from.drain(size);
    }
    ++writes;
    return {done > 0 || from.empty() ? IoStatus::kOk : IoStatus::kAgain, done};
  }
  void want_read(bool on) override { read_on = on; }
  void want_write(bool on) override { write_on = on; }
  void shutdown_write() override { peer->ended = true; }
  void close(CloseHow) override {
    if (!closed_) {
      closed_ = true;
      handler_ = nullptr;
      if (peer != nullptr) {
        peer->ended = true;
      }
    }
  }
  bool closed() const override { return closed_; }
  const Address& local() const override { return address_; }
  const Address& remote() const override { return address_; }
  std::string_view failure() const override { return {}; }

  // True when something happened.
  bool turn() {
    if (handler_ == nullptr || closed_ || peer == nullptr) {
      return false;
    }
    Ready ready;
    ready.writable = write_on && peer->inbox.size() < capacity;
    ready.readable = read_on && (!inbox.empty() || (ended && !std::exchange(end_told_, true)));
    if (!ready.writable && !ready.readable) {
      return false;
    }
    handler_->on_ready(ready);
    return true;
  }
  void tell_connected() { handler_->on_ready({.connected = true}); }

  PipeEnd* peer = nullptr;
  std::string inbox;
  bool ended = false, read_on = true, write_on = false;
  size_t chunk = SIZE_MAX, capacity = SIZE_MAX, cut = SIZE_MAX, sent = 0;
  int writes = 0;

 private:
  TransportHandler* handler_ = nullptr;
  bool closed_ = false, end_told_ = false;
  Address address_ = *Address::from_ip("127.0.0.1", 1);
};

// Uses one TLS transport: sends `to_send`, keeps what comes.
class End final : public TransportHandler {
 public:
  End(std::unique_ptr<Transport> the_transport, ReadBuffer& buffer, buffer::SlabPool& slabs)
      : transport(std::move(the_transport)), out(slabs), buffer_(buffer), slabs_(slabs) {
    transport->set_handler(this);
  }
  void on_ready(Ready ready) override {
    connected |= ready.connected;
    failed |= ready.failed;
    if (ready.readable) {
      ReadLease lease(buffer_);
      buffer::Buffer in(slabs_);
      const IoResult result = transport->read(lease, SIZE_MAX, in);
      received += in.to_string();
      last = result.status;
    }
    if (ready.writable) {
      flush();
    }
  }
  void send(std::string_view text) {
    out.append_copy(text);
    flush();
  }
  void flush() {
    const IoResult result = transport->write(out);
    write_failed |= result.status == IoStatus::kFailed;
    transport->want_write(!out.empty() && !write_failed);
  }

  std::unique_ptr<Transport> transport;
  buffer::Buffer out;
  std::string received;
  bool connected = false, failed = false, write_failed = false;
  IoStatus last = IoStatus::kAgain;

 private:
  ReadBuffer& buffer_;
  buffer::SlabPool& slabs_;
};

struct Pem {
  std::string certificate, key;
};

// Signed by itself; `sans` as in OpenSSL's configurations.
Pem make_certificate(const char* sans) {
  KeyPtr key(EVP_EC_gen("P-256"));
  X509Ptr cert(X509_new());
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, sans);
  X509_add_ext(cert.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(cert.get(), key.get(), EVP_sha256());
  Pem out;
  for (std::string* text : {&out.certificate, &out.key}) {
    BioPtr bio(BIO_new(BIO_s_mem()));
    text == &out.key ? PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr)
                     : PEM_write_bio_X509(bio.get(), cert.get());
    const char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    text->assign(data, static_cast<size_t>(size));
  }
  return out;
}

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    server_options.certificates.push_back({pem.certificate, "<inline>", pem.key, "<inline>", {}, {}, {}, {}});
    server_options.alpn = {"h2", "http/1.1"};
    client_options.parameters.max = Version::kTls13;
    client_options.alpn = {"http/1.1"};
    client_options.sni = "a.test";
  }

  void connect() {
    auto put = server_plan.prepare(server_options);
    ASSERT_TRUE(put) << put.error();
    (*put)();
    auto put_client = client_plan.prepare(client_options);
    ASSERT_TRUE(put_client) << put_client.error();
    (*put_client)();
    again();
  }
  void again() {
    server.reset();
    client.reset();
    auto left = std::make_unique<PipeEnd>(), right = std::make_unique<PipeEnd>();
    left->peer = right.get();
    right->peer = left.get();
    client_pipe = left.get();
    server_pipe = right.get();
    if (server_socket == nullptr) {
      server_socket = server_plan.on_worker(scope, "listener.x.");
      client_socket = client_plan.on_worker(scope, "cluster.x.");
    }
    server = std::make_unique<End>(
        server_socket->accept(std::move(right), std::chrono::seconds(1), [this] { ++timeouts; }), read_buffer, slabs);
    client = std::make_unique<End>(client_socket->connect(std::move(left), &wishes), read_buffer, slabs);
    client_pipe->tell_connected();
  }
  void run() {
    for (int i = 0; i < 100'000; ++i) {
      loop.turn();
      if (!client_pipe->turn() && !server_pipe->turn()) {
        loop.turn();
        if (!client_pipe->turn() && !server_pipe->turn()) {
          return;
        }
      }
    }
    FAIL() << "it never rests";
  }
  uint64_t stat(std::string_view name) { return registry.value(name).value_or(0); }

  FakeLoop loop;
  Owner owner{"test"};
  buffer::SlabPool slabs{owner};
  ReadBuffer read_buffer;
  stats::Registry registry;
  stats::WorkerCells cells{registry};
  TransportScope scope{loop, slabs, read_buffer, registry, cells};
  Pem pem = make_certificate("DNS:a.test,DNS:*.wild.test,URI:spiffe://td/a,IP:10.0.0.1,email:me@mail.test");
  ServerOptions server_options;
  ClientOptions client_options;
  TransportWishes wishes;
  ServerPlan server_plan;
  ClientPlan client_plan;
  std::unique_ptr<TransportSocket> server_socket, client_socket;
  PipeEnd *client_pipe = nullptr, *server_pipe = nullptr;
  std::unique_ptr<End> server, client;
  int timeouts = 0;
};

TEST_F(TlsTest, HandshakeAndFacts) {
  connect();
  run();
  ASSERT_TRUE(client->connected);
  EXPECT_EQ(client->transport->alpn(), "http/1.1");
  EXPECT_EQ(server->transport->alpn(), "http/1.1");
  ASSERT_NE(client->transport->tls(), nullptr);
  EXPECT_EQ(client->transport->tls()->version, "TLSv1.3");
  EXPECT_EQ(client->transport->tls()->peer_uri_san, "spiffe://td/a");
  EXPECT_EQ(client->transport->tls()->peer_dns_san, "a.test,*.wild.test");
  EXPECT_FALSE(client->transport->tls()->peer_validated);
  EXPECT_EQ(server->transport->tls()->local_dns_san, "a.test,*.wild.test");
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
  EXPECT_EQ(client->transport->tls()->peer_dns_san, "fresh.test");
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

// A server on OpenSSL alone, which renegotiates when it is told to.
class RenegotiatingServer final : public TransportHandler {
 public:
  RenegotiatingServer(std::unique_ptr<Transport> pipe, ReadBuffer& buffer, buffer::SlabPool& slabs, const Pem& pem)
      : pipe_(std::move(pipe)), buffer_(buffer), slabs_(slabs), context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
    // So that its certificate is shown again.
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    ssl_.reset(SSL_new(context_.get()));
    use(pem);
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
    pipe_->set_handler(this);
  }
  void use(const Pem& pem) {
    EXPECT_EQ(SSL_use_certificate(ssl_.get(), read_certificates(pem.certificate)->front().get()), 1);
    EXPECT_EQ(SSL_use_PrivateKey(ssl_.get(), read_key(pem.key, {})->get()), 1);
  }
  void renegotiate() {
    EXPECT_EQ(SSL_renegotiate(ssl_.get()), 1);
    step();
  }
  void send(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    step();
  }
  void on_ready(Ready ready) override {
    if (!ready.readable) {
      return;
    }
    ReadLease lease(buffer_);
    buffer::Buffer in(slabs_);
    (void)pipe_->read(lease, SIZE_MAX, in);
    const std::string bytes = in.to_string();
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    step();
  }
  bool renegotiated() const { return SSL_num_renegotiations(ssl_.get()) > 0 && SSL_in_init(ssl_.get()) == 0; }

  std::string received;

 private:
  void step() {
    (void)SSL_do_handshake(ssl_.get());
    char part[4096];
    for (int size = 0; (size = SSL_read(ssl_.get(), part, sizeof(part))) > 0;) {
      received.append(part, static_cast<size_t>(size));
    }
    char* data = nullptr;
    BIO* const out = SSL_get_wbio(ssl_.get());
    const long size = BIO_get_mem_data(out, &data);
    buffer::Buffer bytes(slabs_);
    bytes.append_copy({data, static_cast<size_t>(size)});
    (void)pipe_->write(bytes);
    (void)BIO_reset(out);
  }

  std::unique_ptr<Transport> pipe_;
  ReadBuffer& buffer_;
  buffer::SlabPool& slabs_;
  SslCtxPtr context_;
  SslPtr ssl_;
};

class TlsRenegotiationTest : public TlsTest {
 protected:
  void start(bool allowed) {
    client_options.parameters.max = Version::kTls12;
    client_options.allow_renegotiation = allowed;
    connect();
    auto left = std::make_unique<PipeEnd>(), right = std::make_unique<PipeEnd>();
    left->peer = right.get();
    right->peer = left.get();
    client_pipe = left.get();
    server_pipe = right.get();
    peer = std::make_unique<RenegotiatingServer>(std::move(right), read_buffer, slabs, pem);
    client = std::make_unique<End>(client_socket->connect(std::move(left), &wishes), read_buffer, slabs);
    client_pipe->tell_connected();
    run();
    ASSERT_TRUE(client->connected);
    client->send("before ");
    peer->send("BEFORE ");
    run();
  }
  std::unique_ptr<RenegotiatingServer> peer;
};

TEST_F(TlsRenegotiationTest, WhereItIsAllowedBytesFlowBeforeDuringAndAfter) {
  start(true);
  const uint64_t handshakes = stat("cluster.x.ssl.handshake");
  peer->renegotiate();
  (void)client_pipe->turn();  // the client has answered, the server has not
  client->send("during ");
  run();
  EXPECT_TRUE(peer->renegotiated());
  client->send("after");
  peer->send("AFTER");
  run();
  EXPECT_EQ(peer->received, "before during after");
  EXPECT_EQ(client->received, "BEFORE AFTER");
  EXPECT_TRUE(client->out.empty());
  EXPECT_EQ(stat("cluster.x.ssl.handshake"), handshakes) << "it is the same connection";
}

TEST_F(TlsRenegotiationTest, ElsewhereItIsNotTaken) {
  start(false);
  peer->renegotiate();
  run();
  EXPECT_FALSE(peer->renegotiated());
}

TEST_F(TlsRenegotiationTest, TheServerKeepsItsCertificate) {
  start(true);
  peer->use(make_certificate("DNS:b.test"));
  peer->renegotiate();
  run();
  EXPECT_FALSE(peer->renegotiated());
  EXPECT_EQ(client->last, IoStatus::kFailed);
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
