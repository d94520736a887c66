// OtlpSender: requests of OTLP on their way to one collector, over HTTP or gRPC; each is a call of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/intrusive_list.h"
#include "exporters/collector.h"
#include "exporters/grpc_way.h"
#include "proxy/chain_server.h"

namespace sluice::exporters {

// A collector that does not answer costs what its few open requests hold. Owned by an exporter. Thread: worker.
class OtlpSender {
 public:
  static constexpr size_t kMaxOpen = 32;

  // `method`: of gRPC. failed(members) is called for each request that the collector did not take.
  OtlpSender(const Collector& collector, std::string_view method, const proxy::ProxyLocal& proxy,
             Function<void(uint64_t)> failed);
  ~OtlpSender();

  // There is somebody to send to, and not too many requests are open.
  bool can_send() const;
  // A request with so many spans or records. False, and nothing is sent, when can_send() is.
  bool send(std::string_view request, uint64_t members);

 private:
  class Open;

  void over(Open& open);

  const Collector& collector_;
  const std::string_view method_;
  const proxy::ProxyLocal& proxy_;
  Function<void(uint64_t)> failed_;
  GrpcWay way_;
  IntrusiveList<Open, Open> open_;
  size_t count_ = 0;
};

}  // namespace sluice::exporters
