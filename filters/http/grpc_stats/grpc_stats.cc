#include "filters/http/grpc_stats/grpc_stats.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "http/grpc.h"
#include "proxy/exchange.h"
#include "proxy/grpc_counters.h"

namespace sluice::filters::grpc_stats {
namespace {

using buffer::Buffer;
using http::End;
using http::Token;
using proxy::Exchange;
using proxy::Step;

// Lives in the exchange's arena. Thread: its exchange's.
class GrpcStats final : public proxy::HttpFilter {
 public:
  explicit GrpcStats(const GrpcStatsFactory& factory) : settings_(factory.settings()) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End) override {
    counts_requests_ = http::is_grpc(request.fields);
    if (!counts_requests_) return Step::next();
    if (std::optional<std::string> prefix = prefix_of(request)) counters_.begin(exchange, request, std::move(*prefix));
    return Step::next();
  }
  Step on_request_data(Exchange&, Buffer& data, End) override {
    if (counts_requests_) count(requests_, data, "request_message_count");
    return Step::next();
  }
  Step on_response_headers(Exchange&, http::ResponseHeaders& response, End end) override {
    if (end == End::kYes) finish(response.fields);
    counts_responses_ = end == End::kNo && response.status == 200 && http::is_grpc(response.fields);
    return Step::next();
  }
  Step on_response_data(Exchange&, Buffer& data, End) override {
    if (counts_responses_) count(responses_, data, "response_message_count");
    return Step::next();
  }
  Step on_response_trailers(Exchange&, http::HeaderMap& trailers) override {
    finish(trailers);
    return Step::next();
  }
  void on_complete(Exchange& exchange, const format::Facts& facts) noexcept override {
    if (settings_.emit_filter_state && requests_.total() + responses_.total() > 0) {
      exchange.filter_state().set({.key = "envoy.filters.http.grpc_stats",
                                   .factory = "envoy.filters.http.grpc_stats",
                                   .text = cat(requests_.total(), ",", responses_.total()),
                                   .json = totals()});
    }
    if (!counters_.counts()) return;
    if (settings_.upstream_time && facts.upstream_rx_end != format::kUnset && facts.upstream_tx_end != format::kUnset) {
      counters_.record("upstream_rq_time", static_cast<uint64_t>(to_ms(facts.upstream_rx_end - facts.upstream_tx_end)));
    }
  }

 private:
  // "grpc." with the method when it has counters of its own; none: nothing is counted.
  std::optional<std::string> prefix_of(const http::RequestHeaders& request) const {
    std::string out = "grpc.";
    const auto called = proxy::grpc_method(request.path);
    if (!called) return std::nullopt;
    std::string service(called->service);
    if (!settings_.all_methods && !settings_.methods.contains(std::pair(service, std::string(called->method))))
      return out;
    if (settings_.replace_dots) std::replace(service.begin(), service.end(), '.', '_');
    append(out, service, ".", called->method, ".");
    return out;
  }

  void count(MessageCounter& counter, Buffer& data, std::string_view name) {
    if (!counters_.counts() && !settings_.emit_filter_state) return;
    const uint64_t begun = counter.count(data.linearize(data.size()));
    if (begun > 0 && counters_.counts()) counters_.add(name, begun);
  }

  // As protobuf writes a message with two numbers: zeros are left out.
  std::string totals() const {
    std::string out;
    if (requests_.total() > 0) append(out, "\"requestMessageCount\":\"", requests_.total(), "\"");
    if (responses_.total() > 0) {
      append(out, out.empty() ? "" : ",", "\"responseMessageCount\":\"", responses_.total(), "\"");
    }
    return cat("{", out, "}");
  }

  void finish(const http::HeaderMap& fields) {
    if (!counters_.counts() || done_) return;
    const std::string_view status = fields.get(Token::kGrpcStatus);
    if (status.data() == nullptr) return;
    done_ = true;
    counters_.count_end(status);
  }

  const Settings& settings_;
  proxy::GrpcCounters counters_;
  MessageCounter requests_, responses_;
  bool counts_requests_ = false;   // they are gRPC, and so
  bool counts_responses_ = false;  // are these
  bool done_ = false;
};

}  // namespace

uint64_t MessageCounter::count(std::string_view bytes) {
  const uint64_t before = total_;
  while (!bytes.empty()) {
    if (left_ > 0) {
      const size_t part = std::min<uint64_t>(left_, bytes.size());
      left_ -= part;
      bytes.remove_prefix(part);
      continue;
    }
    const auto byte = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    if (head_ == 0) {
      ++total_;
      length_ = 0;
    } else {
      length_ = length_ << 8 | byte;
    }
    if (++head_ == 5) {
      head_ = 0;
      left_ = length_;
    }
  }
  return total_ - before;
}

proxy::HttpFilter* GrpcStatsFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<GrpcStats>(*this);
}

uint8_t GrpcStatsFactory::hooks() const { return proxy::hooks_of<GrpcStats>(); }

}  // namespace sluice::filters::grpc_stats
