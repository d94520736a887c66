// MessageReader: nodes -> one message tree. The inside of reader.h.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_error.h"
#include "config/node.h"
#include "config/reader.h"
#include "config/source_map.h"

namespace sluice::config {

// Walks a node tree and a message tree side by side. Keeps the path of the field at hand for errors. Thread: any.
class MessageReader {
 public:
  MessageReader(SourceMap& map, Findings& findings, const ReadOptions& options, std::string_view path);

  // Reads `node` as the whole of `out`, whatever its type.
  void read(const Node& node, google::protobuf::Message& out);

 private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  // Which member of a oneof was given, and by which key.
  struct Chosen {
    const google::protobuf::OneofDescriptor* oneof;
    std::string_view key;
    uint32_t line;
  };

  // Appends to the path for as long as it lives.
  class Step {
   public:
    Step(MessageReader& reader, std::initializer_list<std::string_view> parts);
    ~Step() { path_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& path_;
    const size_t size_;
  };

  // Counts a node for as long as its content is read; refuses what is nested too deeply or what aliases blow up.
  class Visit {
   public:
    Visit(MessageReader& reader, const Node& node);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return allowed_; }

   private:
    MessageReader& reader_;
    const bool shared_;
    bool allowed_ = true;
  };

  // ---- messages and their fields: message_reader.cc
  void value(const Node& node, Message& out);
  void fields(const Node& node, Message& out);
  void entry(const NodeEntry& entry, Message& out, std::vector<Chosen>& chosen);
  bool choose(const NodeEntry& entry, const Field& field, std::vector<Chosen>& chosen);
  void unknown_field(const NodeEntry& entry, const google::protobuf::Descriptor& type);
  void field(const NodeEntry& entry, Message& out, const Field& field);
  void message_field(const Node& node, Position at, Message& out, const Field& field, int index);
  void elements(const Node& node, Message& out, const Field& field);
  void element(const Node& node, Position at, Message& out, const Field& field);
  void map_entries(const Node& node, Message& out, const Field& field);
  void map_entry(const NodeEntry& entry, Message& out, const Field& field);

  // ---- scalars and well-known types: message_reader_values.cc
  // Sets one scalar, or adds it to a repeated field. Null adds the default and sets nothing.
  void scalar(const Node& node, Message& out, const Field& field);
  void enum_value(const Node& node, Message& out, const Field& field);
  void parsed_text(const Node& node, Message& out);
  void struct_value(const Node& node, google::protobuf::Struct& out);
  void list_value(const Node& node, google::protobuf::ListValue& out);
  void json_value(const Node& node, google::protobuf::Value& out);

  // ---- Any: message_reader_any.cc
  void any(const Node& node, google::protobuf::Any& out);
  void any_content(const Node& node, const NodeEntry& type, google::protobuf::Any& out);
  bool typed_struct(const Node& node, google::protobuf::Message& content, google::protobuf::Any& out);

  void fail(Position at, std::string text);
  void note(ConfigNote::Kind kind, Position at, std::string text);

  SourceMap& map_;
  Findings& findings_;
  const ReadOptions options_;
  std::string path_;
  uint32_t depth_ = 0;
  uint32_t inside_shared_ = 0;  // how many aliased nodes are around
  uint32_t shared_nodes_ = 0;   // nodes that were met through aliases
  bool inside_any_ = false;     // the next map may have a key @type
};

}  // namespace sluice::config
