#include "config/document.h"

#include "config/validation.h"

namespace sluice::config {
namespace {

google::protobuf::ArenaOptions large_blocks() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 16 * 1024;
  options.max_block_size = 1024 * 1024;
  return options;
}

}  // namespace

Document::Document()
    : arena(large_blocks()),
      bootstrap(*google::protobuf::Arena::CreateMessage<envoy::config::bootstrap::v3::Bootstrap>(&arena)) {}

std::unique_ptr<Document> load_bootstrap(const BootstrapSource& source) {
  auto document = std::make_unique<Document>();
  if (source.path.empty() && source.yaml.empty()) {
    document->findings.fail({{}, {}, {}, "there is no configuration: give a file with -c or text with --config-yaml"});
    return document;
  }
  if (!source.path.empty()) {
    read_file(source.path, document->bootstrap, document->map, document->findings, source.options);
  }
  if (!source.yaml.empty()) {
    read_text(Format::Yaml, source.yaml, "--config-yaml", document->bootstrap, document->map, document->findings,
              source.options);
  }
  validate(document->bootstrap, document->map, document->findings);
  document->findings.sort();
  return document;
}

}  // namespace sluice::config
