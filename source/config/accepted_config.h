// AcceptedConfig: the bootstrap that the running plans were compiled from, for the pages that show it.
#pragma once

#include <string>

namespace sluice::config {

// Kept as bytes, which are a tenth of the messages: they are parsed again when somebody asks. Immutable. Thread: any.
struct AcceptedConfig {
  std::string bootstrap;  // a serialized bootstrap.v3.Bootstrap
};

}  // namespace sluice::config
