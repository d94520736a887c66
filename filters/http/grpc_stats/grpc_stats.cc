#include "filters/http/grpc_stats/grpc_stats.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "http/path.h"
#include "proxy/exchange.h"

namespace sluice::filters::grpc_stats {
namespace {

using buffer::Buffer;
using http::End;
using http::Token;
using proxy::Exchange;
using proxy::Step;

// The counters of one worker, made when they are first needed. Thread: its worker's.
class GrpcStatsLocal final : public proxy::FilterLocal {
 public:
  explicit GrpcStatsLocal(const proxy::FilterPlace& place) : cells_(place.local.cells) {}
  stats::Single& counter(const std::string& name) { return single(stats::Kind::kCounter, name); }
  stats::Single& histogram(const std::string& name) { return single(stats::Kind::kHistogram, name); }

 private:
  stats::Single& single(stats::Kind kind, const std::string& name) {
    stats::Single& made = stats_[name];
    if (!made) made = cells_.single(kind, name);
    return made;
  }
  stats::WorkerCells& cells_;
  std::map<std::string, stats::Single> stats_;
};

// Lives in the exchange's arena. Thread: its exchange's.
class GrpcStats final : public proxy::HttpFilter {
 public:
  GrpcStats(const GrpcStatsFactory& factory, GrpcStatsLocal& local) : settings_(factory.settings()), local_(local) {}

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
      local_.histogram(cat(prefix_, "upstream_rq_time"))
          .record(static_cast<uint64_t>(to_ms(facts.upstream_rx_end - facts.upstream_tx_end)));
    }
  }

 private:
  // "cluster.NAME.grpc." with the method when it has counters of its own; empty: nothing is counted.
  std::string prefix_of(Exchange& exchange, const http::RequestHeaders& request) const {
    const model::Route* route = exchange.route().route;
    const auto* forward = route == nullptr ? nullptr : std::get_if<model::ForwardAction>(&route->action);
    const upstream::Cluster* cluster =
        forward == nullptr ? nullptr : exchange.clusters().find(forward->cluster_name(exchange.weighted(), request));
    if (cluster == nullptr) return {};
    std::string out = cat("cluster.", cluster->plan().stat_name, ".grpc.");
    const auto parts = split(http::split_target(request.path).path, '/');
    const bool named = parts.size() == 3 && parts[0].empty() && !parts[1].empty() && !parts[2].empty();
    if (!named) return settings_.all_methods ? std::string() : out;
    std::string service(parts[1]);
    if (!settings_.all_methods && !settings_.methods.contains(std::pair(service, std::string(parts[2])))) return out;
    if (settings_.replace_dots) std::replace(service.begin(), service.end(), '.', '_');
    append(out, service, ".", parts[2], ".");
    return out;
  }

  void count(MessageCounter& counter, Buffer& data, std::string_view name) {
    if (prefix_.empty()) return;
    if (const uint64_t begun = counter.count(data.linearize(data.size())); begun > 0)
      local_.counter(cat(prefix_, name)).add(begun);
  }

  void finish(const http::HeaderMap& fields) {
    if (prefix_.empty() || done_) return;
    const std::string_view status = fields.get(Token::kGrpcStatus);
    if (status.data() == nullptr) return;
    done_ = true;
    if (const auto number = parse_number<uint32_t>(status)) local_.counter(cat(prefix_, *number)).inc();
    local_.counter(cat(prefix_, status == "0" ? "success" : "failure")).inc();
    local_.counter(cat(prefix_, "total")).inc();
  }

  const Settings& settings_;
  GrpcStatsLocal& local_;
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
  return std::make_unique<GrpcStatsLocal>(place);
}

proxy::HttpFilter* GrpcStatsFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<GrpcStats>(*this, static_cast<GrpcStatsLocal&>(*local));
}

uint8_t GrpcStatsFactory::hooks() const { return proxy::hooks_of<GrpcStats>(); }

}  // namespace sluice::filters::grpc_stats
