// Compilers of the small common messages: addresses, networks, data sources.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <string>
#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/address.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "net/address.h"
#include "net/network.h"

namespace sluice::config {

// An IP address with its port, or the path of a unix socket; none after an error. Names are for DNS clusters only.
std::optional<net::Address> compile_address(const envoy::config::core::v3::Address& address, CompileScope& scope);
// The same of what datagrams are sent to: whatever the protocol says.
std::optional<net::Address> compile_datagram_address(const envoy::config::core::v3::Address& address,
                                                     CompileScope& scope);
// The same for listening: also fills what the address says about its socket.
std::optional<net::Address> compile_listen_address(const envoy::config::core::v3::Address& address,
                                                   net::ListenOptions& socket, CompileScope& scope);

std::vector<net::Cidr> compile_ranges(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::CidrRange>& ranges, CompileScope& scope);

// The content of a file, an environment variable, or what stands inline; none after an error. It blocks.
std::optional<std::string> read_data_source(const envoy::config::core::v3::DataSource& source, CompileScope& scope);

}  // namespace sluice::config
