// Content: whether two messages of the configuration say the same.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "model/listener_plan.h"

namespace sluice::config {

// The same bytes for the same content, whatever the order in which a map keeps its entries.
std::string stable_bytes(const google::protobuf::Message& message);
model::Content content_of(const google::protobuf::Message& message);

}  // namespace sluice::config
