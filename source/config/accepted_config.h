// AcceptedConfig: the messages that the running plans were compiled from, for the pages that show them.
#pragma once

#include <memory>

#include "config/document.h"

namespace sluice::config {

// Immutable. Thread: main (a SourceMap sorts itself at its first look-up).
struct AcceptedConfig {
  std::unique_ptr<Document> document;
};

}  // namespace sluice::config
