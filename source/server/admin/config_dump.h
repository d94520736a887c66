// What /config_dump shows: the accepted messages in Envoy's admin.v3.ConfigDump.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/time.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "server/admin/admin_source.h"

namespace sluice::server::admin {

enum class ShowEndpoints : uint8_t { kNo, kYes };

// The parts of a dump, each a message of its own (BootstrapConfigDump, ClustersConfigDump ...). `wanted` chooses among
// the named resources; empty: all. Thread: main.
std::vector<std::unique_ptr<google::protobuf::Message>> dump_parts(
    const envoy::config::bootstrap::v3::Bootstrap& bootstrap, WallTime accepted_at, const DynamicConfigs& dynamic,
    Function<bool(std::string_view name)>& wanted, ShowEndpoints endpoints);

// Replaces what the API marks as sensitive (keys, passwords), also inside of Any messages. Thread: main.
void redact(google::protobuf::Message& message);

}  // namespace sluice::server::admin
