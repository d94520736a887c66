// GrpcCheckSession: health checks by grpc.health.v1.Health/Check.
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "upstream/request_check.h"

namespace sluice::upstream {

// Thread: main.
class GrpcCheckSession final : public RequestCheckSession {
 public:
  GrpcCheckSession(HealthChecker& checker, std::shared_ptr<Host> host);

 private:
  std::string_view make_request(http::RequestHeaders& request) override;
  void judge() override;
  bool serving() const;

  const model::GrpcCheck& check_;
  const std::string message_;
};

// HealthCheckResponse.status is SERVING. Thread: any.
bool says_serving(std::string_view response);

}  // namespace sluice::upstream
