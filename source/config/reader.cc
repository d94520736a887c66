#include "config/reader.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "config/json_nodes.h"
#include "config/message_reader.h"
#include "config/yaml_nodes.h"

namespace sluice::config {
namespace {

using google::protobuf::Message;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignore_case(text.substr(text.size() - end.size()), end);
}

// Turns what protobuf's text parser finds into findings. Thread: one.
class TextErrors final : public google::protobuf::io::ErrorCollector {
 public:
  TextErrors(uint32_t file, const std::string& name, Findings& findings)
      : file_(file), name_(name), findings_(findings) {}
  void AddError(int line, int column, const std::string& text) override {
    const Position at{static_cast<uint32_t>(line + 1), static_cast<uint32_t>(column + 1), file_};
    findings_.fail({name_, line < 0 ? Position{0, 0, file_} : at, {}, cat("not text protobuf: ", text)});
  }

 private:
  const uint32_t file_;
  const std::string& name_;
  Findings& findings_;
};

void read_protobuf(Format format, std::string_view text, uint32_t file, const std::string& name, Message& out,
                   Findings& findings, const ReadOptions& options) {
  const std::string bytes(text);
  const std::unique_ptr<Message> read(out.New());
  if (format == Format::Protobuf) {
    if (!read->ParsePartialFromString(bytes)) {
      findings.fail({name, {0, 0, file}, {}, cat("these bytes are no ", out.GetDescriptor()->full_name())});
    }
  } else {
    TextErrors errors(file, name, findings);
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&errors);
    parser.AllowPartialMessage(true);
    parser.AllowUnknownField(options.unknown_fields == ReadOptions::UnknownFields::Note);
    parser.ParseFromString(bytes, read.get());
  }
  out.MergeFrom(*read);
}

}  // namespace

Format format_of(std::string_view file_name) {
  if (ends_with(file_name, ".yaml") || ends_with(file_name, ".yml")) return Format::Yaml;
  if (ends_with(file_name, ".pb")) return Format::Protobuf;
  if (ends_with(file_name, ".pb_text")) return Format::ProtobufText;
  return Format::Json;
}

bool read_text(Format format, std::string_view text, const std::string& file, Message& out, SourceMap& map,
               Findings& findings, const ReadOptions& options) {
  const size_t before = findings.errors().size();
  const uint32_t index = map.add_file(file);
  if (format == Format::Protobuf || format == Format::ProtobufText) {
    read_protobuf(format, text, index, file, out, findings, options);
    return findings.errors().size() == before;
  }
  NodeTree tree;
  const bool parsed = format == Format::Yaml ? parse_yaml(text, index, file, tree, findings)
                                             : parse_json(text, index, file, tree, findings);
  if (!parsed) return false;
  const Node root = tree.root();
  if (root.is(Node::Kind::Null)) {
    findings.fail({file, root.at, {}, "there is no configuration in this text"});
    return false;
  }
  map.add_message(out, nullptr, 0, -1, root.at);
  read_nodes(root, out, {}, map, findings, options);
  return findings.errors().size() == before;
}

bool read_file(const std::string& path, Message& out, SourceMap& map, Findings& findings, const ReadOptions& options) {
  std::ifstream stream(path, std::ios::binary);
  std::string content;
  std::error_code no_size;  // a pipe has none
  if (const auto size = std::filesystem::file_size(path, no_size); !no_size) content.reserve(size + 1);
  std::array<char, 16 * 1024> piece;
  while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0) {
    content.append(piece.data(), static_cast<size_t>(stream.gcount()));
  }
  // A folder opens, but does not read.
  if (!stream.is_open() || stream.bad()) {
    findings.fail({path, {}, {}, cat("cannot read this file: ", std::strerror(errno))});
    return false;
  }
  return read_text(format_of(path), content, path, out, map, findings, options);
}

bool read_nodes(const Node& node, Message& out, std::string_view path, SourceMap& map, Findings& findings,
                const ReadOptions& options) {
  const size_t before = findings.errors().size();
  MessageReader(map, findings, options, path).read(node, out);
  return findings.errors().size() == before;
}

}  // namespace sluice::config
