// The bootstrap, read from a file and from the command line: what a process starts with.
#pragma once

#include <google/protobuf/arena.h>

#include <memory>
#include <string>

#include "config/config_error.h"
#include "config/reader.h"
#include "config/source_map.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"

namespace sluice::config {

// -c and --config-yaml. Both may be given: the second one is merged over the first.
struct BootstrapSource {
  std::string path;
  std::string yaml;
  ReadOptions options;
};

// A bootstrap with the places of its fields. Not movable: the map holds addresses within the bootstrap. Much of it, so
// that it lives in large blocks, which go back to the system with it. Thread: main.
struct Document {
  Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  google::protobuf::Arena arena;
  envoy::config::bootstrap::v3::Bootstrap& bootstrap;
  SourceMap map;
  Findings findings;
};

// Reads and validates (validation.h); the findings are sorted. With errors, the bootstrap holds what could be read, for
// compilers that look for more errors. Thread: main (it blocks).
std::unique_ptr<Document> load_bootstrap(const BootstrapSource& source);

}  // namespace sluice::config
