#include "net/proxy_header.h"

#include "base/check.h"
#include "base/strings.h"

namespace sluice::net {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr char kLocal = 0x20;
constexpr char kProxy = 0x21;
constexpr char kTcp4 = 0x11;
constexpr char kTcp6 = 0x21;

std::string big_endian(size_t number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }

std::string encode_v1(const Address& client, const Address& wanted, bool known) {
  if (!known) {
    return "PROXY UNKNOWN\r\n";
  }
  return cat("PROXY ", client.kind() == AddressKind::kIp4 ? "TCP4 " : "TCP6 ", client.ip_to_string(), " ",
             wanted.ip_to_string(), " ", client.port(), " ", wanted.port(), "\r\n");
}

// Between the pipe and its user. Owned by the user. Thread: its loop's.
class HeaderTransport final : public Transport, private TransportHandler {
 public:
  HeaderTransport(std::unique_ptr<Transport> inner, const ProxyHeader& header, Address client, Address wanted,
                  buffer::SlabPool& slabs)
      : inner_(std::move(inner)),
        header_(header),
        client_(std::move(client)),
        wanted_(std::move(wanted)),
        waiting_(slabs) {}
  ~HeaderTransport() override { inner_->close(CloseHow::kFin); }

  void set_handler(TransportHandler* handler) override {
    handler_ = handler;
    inner_->set_handler(handler == nullptr ? nullptr : static_cast<TransportHandler*>(this));
  }
  IoResult read(ReadLease& lease, size_t max, buffer::Buffer& into) override { return inner_->read(lease, max, into); }
  IoResult write(buffer::Buffer& from) override {
    const IoResult header = flush();
    return header.status == IoStatus::kOk ? inner_->write(from) : IoResult{header.status};
  }
  void want_read(bool on) override { inner_->want_read(on); }
  void want_write(bool on) override {
    wants_write_ = on;
    inner_->want_write(on || !waiting_.empty());
  }
  void shutdown_write() override { inner_->shutdown_write(); }
  void close(CloseHow how) override { inner_->close(how); }
  bool closed() const override { return inner_->closed(); }
  const Address& local() const override { return inner_->local(); }
  const Address& remote() const override { return inner_->remote(); }
  std::string_view failure() const override { return inner_->failure(); }
  std::string_view alpn() const override { return inner_->alpn(); }
  const TlsFacts* tls() const override { return inner_->tls(); }
  uint64_t written() const override { return inner_->written(); }
  bool nothing_arrived_since(uint64_t mark) const override { return inner_->nothing_arrived_since(mark); }

 private:
  void on_ready(Ready ready) override {
    if (ready.connected) {
      const bool told = client_.kind() != AddressKind::kNone;
      waiting_.append_copy(header_.encode(told ? client_ : inner_->local(), told ? wanted_ : inner_->remote()));
    }
    // A header that cannot be sent shows when the user writes.
    if ((ready.connected || ready.writable) && flush().status == IoStatus::kAgain) {
      inner_->want_write(true);
      ready.writable = false;
    }
    ready.writable = ready.writable && wants_write_;
    if (handler_ != nullptr &&
        (ready.readable || ready.writable || ready.connected || ready.failed || ready.peer_closed)) {
      handler_->on_ready(ready);
    }
  }

  // kOk: the header is out.
  IoResult flush() {
    while (!waiting_.empty()) {
      const IoResult result = inner_->write(waiting_);
      if (result.status != IoStatus::kOk) {
        return result;
      }
      if (waiting_.empty()) {
        inner_->want_write(wants_write_);
      }
    }
    return {IoStatus::kOk};
  }

  std::unique_ptr<Transport> inner_;
  const ProxyHeader& header_;  // the plan's
  const Address client_, wanted_;
  buffer::Buffer waiting_;
  TransportHandler* handler_ = nullptr;
  bool wants_write_ = false;
};

// Thread: worker.
class HeaderSocket final : public TransportSocket {
 public:
  HeaderSocket(const ProxyHeader& header, std::unique_ptr<TransportSocket> inside, const TransportScope& scope)
      : header_(header), inside_(std::move(inside)), slabs_(scope.slabs) {}

  // Of upstreams only.
  std::unique_ptr<Transport> accept(std::unique_ptr<Transport> inner, Duration, Function<void()>) override {
    SLUICE_CHECK(false);
    return inner;
  }
  std::unique_ptr<Transport> connect(std::unique_ptr<Transport> inner, const TransportWishes* wishes) override {
    const Address none;
    std::unique_ptr<Transport> out =
        std::make_unique<HeaderTransport>(std::move(inner), header_, wishes == nullptr ? none : wishes->client,
                                          wishes == nullptr ? none : wishes->client_wanted, slabs_);
    return inside_ == nullptr ? std::move(out) : inside_->connect(std::move(out), wishes);
  }

 private:
  const ProxyHeader& header_;
  const std::unique_ptr<TransportSocket> inside_;
  buffer::SlabPool& slabs_;
};

}  // namespace

std::string ProxyHeader::encode(const Address& client, const Address& wanted) const {
  const bool known = client.is_ip() && client.kind() == wanted.kind();
  if (version == ProxyVersion::kV1) {
    return encode_v1(client, wanted, known);
  }
  std::string body;
  if (known) {
    append(body, client.ip_bytes(), wanted.ip_bytes(), big_endian(client.port()), big_endian(wanted.port()));
  }
  for (const auto& [type, value] : tlvs) {
    append(body, std::string(1, static_cast<char>(type)), big_endian(value.size()), value);
  }
  const char family = !known ? 0 : client.kind() == AddressKind::kIp4 ? kTcp4 : kTcp6;
  return cat(kSignature, std::string{known ? kProxy : kLocal, family}, big_endian(body.size()), body);
}

std::unique_ptr<TransportSocket> ProxyHeaderPlan::on_worker(const TransportScope& scope,
                                                            std::string_view stat_prefix) const {
  return std::make_unique<HeaderSocket>(header_, inside_ == nullptr ? nullptr : inside_->on_worker(scope, stat_prefix),
                                        scope);
}

}  // namespace sluice::net
