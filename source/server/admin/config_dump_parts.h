// The messages that a configuration dump is made of, while they are filled.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/time.h"
#include "envoy/admin/v3/config_dump.pb.h"
#include "envoy/admin/v3/config_dump_shared.pb.h"
#include "server/admin/config_dump.h"

namespace sluice::server::admin {

using Wanted = Function<bool(std::string_view)>;

// Thread: main.
struct DumpParts {
  std::unique_ptr<envoy::admin::v3::ClustersConfigDump> clusters =
      std::make_unique<envoy::admin::v3::ClustersConfigDump>();
  std::unique_ptr<envoy::admin::v3::EndpointsConfigDump> endpoints =
      std::make_unique<envoy::admin::v3::EndpointsConfigDump>();
  std::unique_ptr<envoy::admin::v3::ListenersConfigDump> listeners =
      std::make_unique<envoy::admin::v3::ListenersConfigDump>();
  std::unique_ptr<envoy::admin::v3::ScopedRoutesConfigDump> scopes =
      std::make_unique<envoy::admin::v3::ScopedRoutesConfigDump>();
  std::unique_ptr<envoy::admin::v3::RoutesConfigDump> routes = std::make_unique<envoy::admin::v3::RoutesConfigDump>();
  std::unique_ptr<envoy::admin::v3::SecretsConfigDump> secrets =
      std::make_unique<envoy::admin::v3::SecretsConfigDump>();
  std::unique_ptr<envoy::admin::v3::EcdsConfigDump> extensions = std::make_unique<envoy::admin::v3::EcdsConfigDump>();
};

// In milliseconds, as Envoy shows it.
inline google::protobuf::Timestamp timestamp(WallTime time) {
  google::protobuf::Timestamp out;
  out.set_seconds(time.us / 1'000'000);
  out.set_nanos(static_cast<int32_t>(time.us % 1'000'000 / 1000 * 1'000'000));
  return out;
}

inline bool accepts(Wanted& wanted, const std::string& name) { return !wanted || wanted(name); }

// What came while the process ran.
void add_dynamic(const DynamicConfigs& dynamic, Wanted& wanted, DumpParts& parts);

}  // namespace sluice::server::admin
