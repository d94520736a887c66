// HttpCheckSession: health checks by HTTP requests.
#pragma once

#include <memory>
#include <string_view>

#include "upstream/request_check.h"

namespace sluice::upstream {

// Thread: main.
class HttpCheckSession final : public RequestCheckSession {
 public:
  HttpCheckSession(HealthChecker& checker, std::shared_ptr<Host> host);

 private:
  std::string_view make_request(http::RequestHeaders& request) override;
  void judge() override;
  bool is_of_service();

  const model::HttpCheck& check_;
};

}  // namespace sluice::upstream
