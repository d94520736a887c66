// Inputs of matcher trees that look at the facts of an exchange or a connection.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/advanced/matching/matching_api
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "format/facts.h"
#include "match/tree.h"

namespace sluice::model {

using FactInput = match::Input<format::Facts>;
using FactTree = match::Tree<format::Facts>;
using FactInputPtr = std::unique_ptr<const FactInput>;

// Several lines of one name are joined with ','. Names in lower case.
FactInputPtr request_header_input(std::string name);
FactInputPtr request_trailer_input(std::string name);
FactInputPtr response_header_input(std::string name);
FactInputPtr response_trailer_input(std::string name);
// The first parameter of that name, decoded.
FactInputPtr query_parameter_input(std::string name);
FactInputPtr status_input();        // "404"
FactInputPtr status_class_input();  // "4xx"
FactInputPtr filter_state_input(std::string key);

// What is known of the connection.
enum class ConnectionFact : uint8_t {
  kSourceIp,
  kSourcePort,
  kDirectSourceIp,
  kDestinationIp,
  kDestinationPort,
  kSourceType,  // "local" or nothing
  kServerName,
  kTransportProtocol,
  kApplicationProtocols,  // each in '', with commas between them
  kUriSan,
  kDnsSan,
  kSubject,
};
FactInputPtr connection_input(ConnectionFact fact);

}  // namespace sluice::model
