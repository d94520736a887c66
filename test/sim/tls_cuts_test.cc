// TLS that is cut at every byte: of a client's flights, and of an upstream's. The handshake, the first records, by FIN
// and by reset. The proxy lives, nothing is left behind, it counts as Envoy does, and a retry finds a better
// connection.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/strings.h"
#include "test/sim/sim_proxy.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using net::CloseHow;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole";

// A key and a certificate that it signed itself, for both ends of both connections.
struct Identity {
  Identity() : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "19700101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20991231000000Z");
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("sim"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
  }
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  // On one line of YAML.
  static std::string quoted(const std::function<void(BIO*)>& write) {
    BIO* out = BIO_new(BIO_s_mem());
    write(out);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    std::string text = "\"";
    for (const char c : std::string_view(bytes, static_cast<size_t>(size))) {
      append(text, c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1));
    }
    BIO_free(out);
    return text + "\"";
  }
  std::string certificate_pem() const {
    return quoted([this](BIO* out) { PEM_write_bio_X509(out, certificate); });
  }
  std::string key_pem() const {
    return quoted([this](BIO* out) { PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
  }

  EVP_PKEY* const key;
  X509* const certificate;
};

// One end of TLS on OpenSSL alone, whose connection ends behind the first `cut` bytes that it sends. Thread: the
// simulation's.
class CutTls final : public SimTalker {
 public:
  struct Cut {
    size_t at = SIZE_MAX;
    CloseHow how = CloseHow::kFin;
  };

  CutTls(SimMachine& machine, std::unique_ptr<net::Transport> transport, SSL_CTX* context, bool server, Cut cut)
      : SimTalker(machine.loop, machine.network, machine.slabs, std::move(transport)),
        ssl_(SSL_new(context)),
        cut_(cut) {
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
  }
  ~CutTls() override { SSL_free(ssl_); }

  // Goes on with what came; `reply`: sent once a whole head is there.
  void step() {
    ERR_clear_error();
    if (!open_) {
      open_ = SSL_do_handshake(ssl_) == 1;
      if (open_) handshake_bytes_ = sent_ + BIO_ctrl_pending(SSL_get_wbio(ssl_));
    }
    if (open_) {
      char part[4096];
      int size = 0;
      while ((size = SSL_read(ssl_, part, sizeof(part))) > 0) {
        plain.append(part, static_cast<size_t>(size));
      }
      if (!reply.empty() && (reply_at_once || plain.find("\r\n\r\n") != std::string::npos)) {
        SSL_write(ssl_, reply.data(), static_cast<int>(reply.size()));
        reply.clear();
        replied_ = true;
      }
    }
    std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl_)), '\0');
    if (!out.empty()) {
      BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
    }
    const size_t room = cut_.at - std::min(cut_.at, sent_);
    if (out.size() > room || (replied_ && out.size() == room)) {
      out.resize(room);
      if (!out.empty()) send(out);
      cut_happened_ = true;
      sent_ += out.size();
      close_when_sent(cut_.how);
      return;
    }
    sent_ += out.size();
    if (!out.empty()) send(out);
  }

  std::string plain;  // what came, decrypted
  std::string reply;
  bool reply_at_once = false;  // a client does not wait for a head
  size_t sent() const { return sent_; }
  // Of `sent`, what the handshake took.
  size_t handshake_bytes() const { return handshake_bytes_; }
  bool cut_happened() const { return cut_happened_; }

 private:
  void on_received() override {
    if (!received_.empty()) {
      BIO_write(SSL_get_rbio(ssl_), received_.data(), static_cast<int>(received_.size()));
      received_.clear();
    }
    if (!cut_happened_) step();
  }

  SSL* const ssl_;
  const Cut cut_;
  size_t sent_ = 0, handshake_bytes_ = SIZE_MAX;
  bool open_ = false, replied_ = false, cut_happened_ = false;
};

class TlsCutsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string yaml(kPlainProxy);
    const std::string tls = cat("{certificate_chain: {inline_string: ", identity.certificate_pem(),
                                "}, private_key: {inline_string: ", identity.key_pem(), "}}");
    const auto put = [&yaml](std::string_view before, const std::string& text) {
      yaml.insert(yaml.find(before), text);
    };
    put("    - filters:\n", cat("    - transport_socket:\n        name: tls\n        typed_config: {\"@type\": "
                                "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, "
                                "common_tls_context: {tls_certificates: [",
                                tls, "]}}\n      filters:\n"));
    const std::string twice = "    - filters:\n";
    yaml.erase(yaml.find(twice), twice.size());
    put("              - match: {prefix: /}\n",
        "              - match: {prefix: /again}\n                route: {cluster: origin, retry_policy: {retry_on: "
        "\"connect-failure,reset\", num_retries: 1}}\n");
    put("    connect_timeout: 1s\n",
        cat("    transport_socket:\n      name: tls\n      typed_config: {\"@type\": "
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, max_session_keys: 0, "
            "common_tls_context: {tls_params: {tls_maximum_protocol_version: TLSv1_3}, validation_context: "
            "{trusted_ca: {inline_string: ",
            identity.certificate_pem(), "}}}}\n"));
    yaml.replace(yaml.rfind("10.0.0.9"), 8, "10.0.0.8");
    proxy = std::make_unique<SimProxy>(11, yaml, [](const std::string&, const std::string&) { return std::string(); });
    ASSERT_EQ(proxy->error, "");
    client_context = SSL_CTX_new(TLS_client_method());
    server_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server_context, identity.certificate);
    SSL_CTX_use_PrivateKey(server_context, identity.key);
    SSL_CTX_set_num_tickets(server_context, 1);
    origin_machine = std::make_unique<SimMachine>(proxy->fabric, "10.0.0.8");
    socket = *origin_machine->network.bind(*net::Address::from_ip("10.0.0.8", 9000), {}, 1);
    acceptor = origin_machine->network.accept(*socket, 0, [this](std::unique_ptr<net::Transport> transport) {
      // Only the first one is cut.
      const CutTls::Cut cut = std::exchange(origin_cut, {});
      origins.push_back(std::make_unique<CutTls>(*origin_machine, std::move(transport), server_context, true, cut));
      origins.back()->reply = kAnswer;
    });
  }
  void TearDown() override {
    acceptor.reset();
    socket.reset();
    clients.clear();
    origins.clear();
    EXPECT_TRUE(proxy->stop());
    origin_machine.reset();
    proxy.reset();
    SSL_CTX_free(client_context);
    SSL_CTX_free(server_context);
  }

  uint64_t stat(std::string_view name) { return proxy->server->registry().value(name).value_or(0); }
  uint64_t ssl(std::string_view name) { return stat(cat("listener.10.0.0.2_8080.ssl.", name)); }

  CutTls& request(std::string_view path, CutTls::Cut cut = {}) {
    clients.clear();
    clients.push_back(std::make_unique<CutTls>(proxy->clients,
                                               proxy->clients.network.connect(*net::Address::from_ip("10.0.0.2", 8080)),
                                               client_context, false, cut));
    CutTls& client = *clients.back();
    client.reply = cat("GET ", path, " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    client.reply_at_once = true;
    EXPECT_TRUE(proxy->world.run_until([&] { return client.connected(); }));
    client.step();
    EXPECT_TRUE(proxy->world.run_until([&] { return client.ended() || client.cut_happened(); }, 20s));
    proxy->world.run_for(30ms);
    return client;
  }
  void expect_nothing_left(size_t at) {
    for (const char* name : {"listener.10.0.0.2_8080.downstream_cx_active", "http.main.downstream_cx_active",
                             "http.main.downstream_rq_active", "cluster.origin.upstream_rq_active",
                             "cluster.origin.upstream_rq_pending_active"}) {
      EXPECT_EQ(stat(name), 0u) << name << ", cut at " << at;
    }
  }
  void forget_origins() {
    origins.clear();
    proxy->world.run_for(20ms);
    EXPECT_EQ(stat("cluster.origin.upstream_cx_active"), 0u);
  }

  const Identity identity;
  std::unique_ptr<SimProxy> proxy;
  SSL_CTX* client_context = nullptr;
  SSL_CTX* server_context = nullptr;
  std::unique_ptr<SimMachine> origin_machine;
  std::unique_ptr<net::ListenSocket> socket;
  std::unique_ptr<net::Acceptor> acceptor;
  CutTls::Cut origin_cut;
  std::vector<std::unique_ptr<CutTls>> origins, clients;
};

TEST_F(TlsCutsTest, ClientsAtEveryByte) {
  for (const CloseHow how : {CloseHow::kFin, CloseHow::kReset}) {
    size_t done = 0;  // of handshakes
    for (size_t at = 0;; ++at) {
      const uint64_t handshakes = ssl("handshake"), errors = ssl("connection_error");
      const uint64_t requests = stat("http.main.downstream_rq_total");
      const uint64_t connections = stat("listener.10.0.0.2_8080.downstream_cx_total");
      const CutTls& client = request("/direct", {at, how});
      EXPECT_EQ(stat("listener.10.0.0.2_8080.downstream_cx_total"), connections + 1) << at;
      expect_nothing_left(at);
      if (!client.cut_happened()) {  // it had nothing more to send
        EXPECT_TRUE(client.plain.starts_with("HTTP/1.1 200 OK\r\n")) << client.plain;
        break;
      }
      // A handshake is over with the last byte of the client's, and a request begins with the last of its record.
      const bool opened = at >= client.handshake_bytes();
      done += opened ? 1 : 0;
      if (how == CloseHow::kFin) {
        EXPECT_EQ(ssl("handshake"), handshakes + (opened ? 1 : 0)) << at;
      }
      if (how == CloseHow::kFin) {
        EXPECT_EQ(ssl("connection_error"), errors) << at;
      }
      EXPECT_LE(ssl("connection_error"), errors + 1) << at;
      EXPECT_LE(stat("http.main.downstream_rq_total"), requests + (at >= client.sent() && opened ? 1 : 0)) << at;
      if (HasFailure()) return;
      ASSERT_LT(at, 4096u);
    }
    EXPECT_GT(done, 20u);
  }
  EXPECT_EQ(stat("http.main.downstream_cx_destroy"), stat("http.main.downstream_cx_total"));
  EXPECT_TRUE(request("/direct").plain.starts_with("HTTP/1.1 200 OK\r\n"));
}

// Every other offset has a retry, whose connection nobody cuts; the other way of ending it has the others.
TEST_F(TlsCutsTest, UpstreamsAtEveryByte) {
  size_t in_handshake = 0, later = 0, retried = 0;
  for (const CloseHow how : {CloseHow::kFin, CloseHow::kReset}) {
    for (size_t at = 0;; ++at) {
      const bool retry = at % 2 == (how == CloseHow::kFin ? 0 : 1);
      const uint64_t failed = stat("cluster.origin.upstream_cx_connect_fail");
      const uint64_t retries = stat("cluster.origin.upstream_rq_retry");
      const size_t logged = proxy->platform.files().appended("/log").size();
      origin_cut = {at, how};
      const std::string got = request(retry ? "/again" : "/once").plain;
      const bool whole = got.ends_with("whole");
      ASSERT_FALSE(origins.empty());
      if (!origins.front()->cut_happened()) {
        EXPECT_TRUE(whole) << at << ": " << got;
        forget_origins();  // the connection is in its pool
        break;
      }
      const bool in_time = stat("cluster.origin.upstream_cx_connect_fail") == failed + 1;
      if (retry) {
        EXPECT_TRUE(whole) << at;
        EXPECT_EQ(stat("cluster.origin.upstream_rq_retry"), retries + origins.size() - 1) << at;
        retried += origins.size() - 1;
      } else if (!whole) {
        EXPECT_EQ(proxy->platform.files().appended("/log").substr(logged),
                  in_time ? "/once 503 UF\n" : "/once 503 UC\n")
            << at;
        (in_time ? in_handshake : later) += 1;
      }
      forget_origins();
      expect_nothing_left(at);
      if (HasFailure()) {
        return;
      }
      ASSERT_LT(at, 4096u);
    }
  }
  EXPECT_GT(in_handshake, 300u);
  EXPECT_GT(later, 100u);
  EXPECT_GT(retried, 500u);
  EXPECT_EQ(stat("cluster.origin.upstream_rq_retry_success"), retried);
}

}  // namespace
}  // namespace sluice::test
