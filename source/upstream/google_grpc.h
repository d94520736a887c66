// Calls by gRPC's own library (GrpcService.google_grpc). A seam: xds/google_grpc has the library, and a build or a
// simulation without it has no such service.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "upstream/grpc_call.h"
#include "upstream/worker_local.h"

namespace sluice::upstream {

// A plain value. Everything in it is copied.
struct GoogleCallOptions {
  std::string_view path;                                      // "/package.Service/Method"
  std::vector<std::pair<std::string, std::string>> metadata;  // names in lower case
  Duration timeout{0};                                        // until the status; 0: none
};

// One thread's way to a service; its calls end before it does. Owned by who calls. Thread: worker or main.
class GoogleClient {
 public:
  virtual ~GoogleClient() = default;
  virtual GrpcCallPtr call(const GoogleCallOptions& options, GrpcUser& user) = 0;
};

// Immutable, shared by all workers. Thread: any.
class GoogleService {
 public:
  virtual ~GoogleService() = default;
  virtual std::unique_ptr<GoogleClient> on_worker(WorkerLocal& local) const = 0;
};

}  // namespace sluice::upstream
