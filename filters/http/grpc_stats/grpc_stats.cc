#include "filters/http/grpc_stats/grpc_stats.h"

#include <algorithm>

#include "base/strings.h"
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
  GrpcStats(const GrpcStatsFactory& factory, proxy::GrpcCounters& local) : settings_(factory.settings()), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End) override {
    if (proxy::is_grpc(request)) prefix_ = prefix_of(exchange, request);
    return Step::next();
  }
  Step on_request_data(Exchange&, Buffer& data, End) override {
    count(requests_, data, "request_message_count");
    return Step::next();
  }
  Step on_response_headers(Exchange&, http::ResponseHeaders& response, End end) override {
    if (end == End::kYes) finish(response.fields);
    return Step::next();
  }
  Step on_response_data(Exchange&, Buffer& data, End) override {
    count(responses_, data, "response_message_count");
    return Step::next();
  }
  Step on_response_trailers(Exchange&, http::HeaderMap& trailers) override {
    finish(trailers);
    return Step::next();
  }
  void on_complete(Exchange& exchange, const format::Facts& facts) noexcept override {
    if (prefix_.empty()) return;
    if (settings_.emit_filter_state) {
      exchange.filter_state().set({.key = "envoy.filters.http.grpc_stats",
                                   .factory = "envoy.filters.http.grpc_stats",
                                   .text = cat(requests_.total(), ",", responses_.total())});
    }
    if (settings_.upstream_time && facts.upstream_rx_end != format::kUnset && facts.upstream_tx_end != format::kUnset) {
      local_.record(cat(prefix_, "upstream_rq_time"),
                    static_cast<uint64_t>(to_ms(facts.upstream_rx_end - facts.upstream_tx_end)));
    }
  }

 private:
  // "cluster.NAME.grpc." with the method when it has counters of its own; empty: nothing is counted.
  std::string prefix_of(Exchange& exchange, const http::RequestHeaders& request) const {
    std::string out = proxy::cluster_scope(exchange, request);
    if (out.empty()) return out;
    out += "grpc.";
    const auto called = proxy::grpc_method(request.path);
    if (!called) return settings_.all_methods ? std::string() : out;
    std::string service(called->service);
    if (!settings_.all_methods && !settings_.methods.contains(std::pair(service, std::string(called->method)))) return out;
    if (settings_.replace_dots) std::replace(service.begin(), service.end(), '.', '_');
    append(out, service, ".", called->method, ".");
    return out;
  }

  void count(MessageCounter& counter, Buffer& data, std::string_view name) {
    if (prefix_.empty()) return;
    if (const uint64_t begun = counter.count(data.linearize(data.size())); begun > 0)
      local_.add(cat(prefix_, name), begun);
  }

  void finish(const http::HeaderMap& fields) {
    if (prefix_.empty() || done_) return;
    const std::string_view status = fields.get(Token::kGrpcStatus);
    if (status.data() == nullptr) return;
    done_ = true;
    local_.count_end(prefix_, status);
  }

  const Settings& settings_;
  proxy::GrpcCounters& local_;
  std::string prefix_;
  MessageCounter requests_, responses_;
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

std::unique_ptr<proxy::FilterLocal> GrpcStatsFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<proxy::GrpcCounters>(place);
}

proxy::HttpFilter* GrpcStatsFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<GrpcStats>(*this, static_cast<proxy::GrpcCounters&>(*local));
}

uint8_t GrpcStatsFactory::hooks() const { return proxy::hooks_of<GrpcStats>(); }

}  // namespace sluice::filters::grpc_stats
