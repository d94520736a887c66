// Renegotiation, which TLS 1.2 has: where it is allowed, and what it may not change.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

#include "test/net/tls_rig.h"

namespace sluice::net::tls {
namespace {

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

}  // namespace
}  // namespace sluice::net::tls
