#include "explain/probe.h"

#include "base/strings.h"
#include "model/access_log_plan.h"
#include "proxy/exchange.h"

namespace sluice::explain {
namespace {

// Lives in the exchange's arena. Thread: main.
class Probe final : public proxy::HttpFilter {
 public:
  Probe(size_t place, Observer& observer) : place_(place), observer_(observer) {}
  proxy::Step on_request_headers(proxy::Exchange& exchange, http::RequestHeaders& request, http::End) override {
    observer_.on_request(place_, exchange, request);
    return proxy::Step::next();
  }
  proxy::Step on_response_headers(proxy::Exchange&, http::ResponseHeaders& response, http::End) override {
    observer_.on_response(place_, response);
    return proxy::Step::next();
  }

 private:
  const size_t place_;
  Observer& observer_;
};

// Thread: main.
class ProbeFactory final : public proxy::HttpFilterFactory {
 public:
  ProbeFactory(size_t place, Observer& observer) : place_(place), observer_(observer) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override {
    return exchange.arena().create<Probe>(place_, observer_);
  }
  uint8_t hooks() const override { return proxy::hooks_of<Probe>(); }

 private:
  const size_t place_;
  Observer& observer_;
};

// An access log that writes nothing. Thread: main.
class EndTap final : public model::AccessLogFilter {
 public:
  explicit EndTap(Observer& observer) : observer_(observer) {}
  bool passes(const format::Facts& facts) const override {
    if (facts.log_type == format::LogType::kDownstreamEnd) observer_.on_end(facts);
    return false;
  }

 private:
  Observer& observer_;
};

// Thread: main.
class NoFile final : public event::AppendFile {
 public:
  bool append(std::string_view) override { return true; }
  void flush() override {}
  void reopen() override {}
};

template <typename Headers>
void add_fields(const Headers& headers, Fields& out) {
  for (const http::HeaderField& field : headers.fields) out.emplace_back(field.name(), field.value());
}

}  // namespace

Fields fields_of(const http::RequestHeaders& request) {
  Fields out{{":method", std::string(request.method)},
             {":scheme", std::string(request.scheme)},
             {":authority", std::string(request.authority)},
             {":path", std::string(request.path)}};
  add_fields(request, out);
  return out;
}

Fields fields_of(const http::ResponseHeaders& response) {
  Fields out{{":status", cat(response.status)}};
  add_fields(response, out);
  return out;
}

std::shared_ptr<const model::HttpPlan> with_probes(const model::HttpPlan& plan, Observer& observer) {
  auto out = std::make_shared<model::HttpPlan>(plan);
  out->codec.default_host_for_http_10 = out->default_host;
  out->codec_type = model::CodecType::kAuto;  // the request is given as HTTP/1.1
  out->filters.clear();
  for (size_t i = 0; i < plan.filters.size(); ++i) {
    model::FilterPlan probe;
    probe.config = std::make_shared<const ProbeFactory>(i, observer);
    out->filters.push_back(std::move(probe));
    out->filters.push_back(plan.filters[i]);
  }
  auto logs = std::make_shared<model::AccessLogSet>();
  logs->logs.push_back({std::make_shared<const EndTap>(observer),
                        *format::Formatter::parse(""),
                        {},
                        std::make_shared<NoFile>(),
                        nullptr,
                        {}});
  out->access_logs = std::move(logs);
  return out;
}

}  // namespace sluice::explain
