#include "filters/network/echo/echo.h"

namespace sluice::filters::echo {
namespace {

// In its server's list. Thread: worker.
class EchoConnection final : public proxy::ByteConnection {
 public:
  using ByteConnection::ByteConnection;

 private:
  void on_data(buffer::Buffer& data) override { send(data); }
  void on_end() override { finish(); }
  void on_outbox_full(bool full) override { read_on(!full); }
  bool on_closed(net::CloseHow, format::Facts& facts) override {
    describe(facts);
    return true;
  }
  size_t room() const override { return outbox().room(); }
};

}  // namespace

void EchoServer::serve(std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted) {
  run(new EchoConnection(*this, std::move(transport), std::move(accepted)));
}

}  // namespace sluice::filters::echo
