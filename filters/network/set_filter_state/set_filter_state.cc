#include "filters/network/set_filter_state/set_filter_state.h"

#include "proxy/filtered_transport.h"

namespace sluice::filters::network_set_filter_state {

using proxy::FilteredTransport;
using proxy::NetworkStep;

namespace {

// Owned by its connection. Thread: worker.
class Filter final : public proxy::NetworkFilter {
 public:
  explicit Filter(const Moments& moments) : moments_(moments) {}

  NetworkStep on_connection(FilteredTransport& connection) override {
    leave(moments_.on_connection, connection, 0);
    if (connection.accepted().chain()->transport_socket == nullptr) {
      leave(moments_.on_handshake, connection, 0);
    }
    return NetworkStep::next();
  }
  NetworkStep on_data(FilteredTransport& connection, buffer::Buffer& data) override {
    if (!begun_) {
      begun_ = true;
      if (connection.accepted().chain()->transport_socket != nullptr) {
        leave(moments_.on_handshake, connection, 0);
      }
      leave(moments_.on_data, connection, data.size());
    }
    return NetworkStep::next();
  }

 private:
  static void leave(const std::vector<format::FilterStateValue>& values, FilteredTransport& connection,
                    uint64_t bytes) {
    FilterState& state = connection.accepted().found().filter_state;
    for (const format::FilterStateValue& value : values) {
      format::Facts facts;
      connection.accepted().describe(facts);
      facts.downstream_tls = connection.tls();
      facts.bytes_received = bytes;
      value.leave_in(state, facts);
    }
  }

  const Moments& moments_;
  bool begun_ = false;
};

// Owned by its Listener. Thread: worker.
class Maker final : public proxy::NetworkFilterMaker {
 public:
  explicit Maker(std::shared_ptr<const Moments> moments) : moments_(std::move(moments)) {}
  std::unique_ptr<proxy::NetworkFilter> make(proxy::Accepted&) override { return std::make_unique<Filter>(*moments_); }

 private:
  std::shared_ptr<const Moments> moments_;
};

}  // namespace

std::unique_ptr<proxy::NetworkFilterMaker> SetFilterState::on_worker(const proxy::ProxyLocal&,
                                                                     const proxy::ListenerFacts&) const {
  return std::make_unique<Maker>(moments_);
}

}  // namespace sluice::filters::network_set_filter_state
