// YAML and JSON as a bootstrap. The first byte chooses the format. Properties: a text is a tree, or has exactly one
// error and no tree; places are within the text; lists and maps are not nested deeper than the limit; reading is the
// same each time; what was read without an error and can be printed as JSON is read again as the same message.
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "config/json_nodes.h"
#include "config/message_tree.h"
#include "config/reader.h"
#include "config/yaml_nodes.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"

namespace {

using namespace sluice;
using namespace sluice::config;
using envoy::config::bootstrap::v3::Bootstrap;

struct Read {
  Bootstrap message;
  SourceMap map;
  Findings findings;
  bool ok;

  Read(Format format, std::string_view text) { ok = read_text(format, text, "f", message, map, findings); }
};

// Aliases make a tree that is larger than its text: so many nodes are looked at.
constexpr size_t kMaxVisits = 100'000;

void walk(const Node& node, uint32_t lines, uint32_t depth, size_t& visits) {
  if (++visits > kMaxVisits) return;
  SLUICE_CHECK(node.at.line <= lines);
  if (!node.is(Node::Kind::List) && !node.is(Node::Kind::Map)) return;
  size_t count = 0;
  for (const NodeEntry& entry : node.entries) {
    SLUICE_CHECK(entry.key_at.line <= lines);
    ++count;
    // An anchor may be used deeper than it stands; the reader counts those levels.
    if (!entry.value.shared) SLUICE_CHECK(depth < kMaxDepth || entry.value.entries.empty());
    if (depth < kMaxDepth) walk(entry.value, lines, depth + 1, visits);
  }
  SLUICE_CHECK((count == 0) == node.entries.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const Format format = data[0] % 2 == 0 ? Format::Yaml : Format::Json;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  // YAML also ends lines at a lone CR.
  const auto lines = static_cast<uint32_t>(2 + std::count(text.begin(), text.end(), '\n') +
                                           std::count(text.begin(), text.end(), '\r'));

  NodeTree tree;
  Findings findings;
  const bool parsed =
      format == Format::Yaml ? parse_yaml(text, 0, "f", tree, findings) : parse_json(text, 0, "f", tree, findings);
  SLUICE_CHECK(parsed == !tree.empty());
  SLUICE_CHECK(findings.errors().size() == (parsed ? 0u : 1u));
  if (parsed) {
    size_t visits = 0;
    walk(tree.root(), lines, 1, visits);
  }

  const Read once(format, text);
  const Read twice(format, text);
  SLUICE_CHECK(once.ok == once.findings.ok());
  SLUICE_CHECK(once.findings.errors().size() == twice.findings.errors().size());
  SLUICE_CHECK(bytes_of(once.message) == bytes_of(twice.message));
  for (const ConfigError& error : once.findings.errors()) SLUICE_CHECK(error.at.line <= lines && !error.text.empty());
  std::string printed;
  if (once.ok && google::protobuf::util::MessageToJsonString(once.message, &printed).ok()) {
    const Read again(Format::Json, printed);
    SLUICE_CHECK(again.ok && bytes_of(again.message) == bytes_of(once.message));
  }
  return 0;
}
