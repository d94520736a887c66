#include "filters/network/direct_response/direct_response.h"

namespace sluice::filters::direct_response {
namespace {

// How long a client may take to read the text and close.
constexpr Duration kPatience = std::chrono::seconds(1);

// In its server's list. Thread: worker.
class Connection final : public proxy::ByteConnection {
 public:
  Connection(proxy::ByteServer& server, std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted,
             const std::string& text)
      : ByteConnection(server, std::move(transport), std::move(accepted)),
        text_(text),
        patience_(worker().loop.timers(), [this] { close(net::CloseHow::kFin); }) {}

 private:
  void on_start() override {
    outbox().bytes().append_borrowed(text_);
    outbox().schedule();
    finish();
    // What the client says is read so that it sees the text, not a reset.
    patience_.arm(kPatience);
  }
  void on_data(buffer::Buffer& data) override { data.clear(); }
  void on_end() override {}
  void on_outbox_full(bool) override {}
  bool on_closed(net::CloseHow, format::Facts& facts) override {
    describe(facts);
    facts.details = "direct_response";
    facts.bytes_sent = sent_;
    return true;
  }
  void on_bytes_sent(size_t bytes) override { sent_ += bytes; }
  size_t room() const override { return 0; }

  const std::string& text_;
  uint64_t sent_ = 0;
  event::Timer patience_;
};

}  // namespace

void DirectResponseServer::serve(std::unique_ptr<net::Transport> transport, proxy::AcceptedPtr accepted) {
  run(new Connection(*this, std::move(transport), std::move(accepted), *text_));
}

}  // namespace sluice::filters::direct_response
