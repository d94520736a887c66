// TlsTest: both ends of a TLS connection over pipes in memory, for tests.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/owner.h"
#include "event/loop.h"
#include "net/tls/certificate.h"
#include "net/tls/tls_plan.h"
#include "net/tls_facts.h"
#include "stats/registry.h"
#include "test/net/pipe_end.h"

namespace sluice::net::tls {

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
inline Pem make_certificate(const char* sans) {
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

}  // namespace sluice::net::tls
