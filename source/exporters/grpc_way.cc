#include "exporters/grpc_way.h"

#include "upstream/grpc_stream.h"

namespace sluice::exporters {

namespace {
constexpr size_t kLongestMessage = 64 * 1024;
}

GrpcWay::GrpcWay(const Collector& collector, const proxy::ProxyLocal& proxy)
    : collector_(collector),
      proxy_(proxy),
      google_(collector.google == nullptr ? nullptr : collector.google->on_worker(proxy.local)) {}

bool GrpcWay::is_there() const { return google_ != nullptr || proxy_.clusters.find(collector_.cluster) != nullptr; }

upstream::GrpcCallPtr GrpcWay::call(std::string_view method, Duration timeout, size_t max_queued,
                                    upstream::GrpcUser& user) {
  if (google_ != nullptr) return google_->call({method, collector_.fields, timeout}, user);
  upstream::CallOptions options;
  options.timeout = timeout;
  options.max_queued = max_queued;
  options.machine_ip = proxy_.state.machine_ip;
  upstream::GrpcStreamPtr stream(new upstream::GrpcStream(proxy_.local, user, method, options, kLongestMessage));
  http::RequestHeaders& headers = stream->headers();
  headers.authority = collector_.authority;
  for (const auto& [name, value] : collector_.fields) headers.fields.add(name, value);
  stream->start(proxy_.clusters.find(collector_.cluster));
  return upstream::GrpcCallPtr(stream.release());
}

}  // namespace sluice::exporters
