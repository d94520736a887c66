// Where every field of a message tree was read, so that whoever works on the messages later (validation, compilers) can
// name file, line, column and path. Also keeps what stands inside of Any messages, typed and with its positions.
//
// Keys are the addresses of messages: the tree must outlive the map, and must not be moved or changed meanwhile.
// Filled while reading; looked up afterwards (the first look-up sorts).
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config_error.h"

namespace sluice::config {

// See above. Thread: one (the main thread); look-ups are not const because the first one sorts.
class SourceMap {
 public:
  SourceMap() = default;
  SourceMap(const SourceMap&) = delete;
  SourceMap& operator=(const SourceMap&) = delete;

  // ---- looking up

  // Where `message` begins: the key that holds it, or its place in a list. Unknown for messages that were not read.
  Position at(const google::protobuf::Message& message) const;
  // Where the value of field `number` was read (element `index` of a repeated one); where it is missing, the message.
  Position at(const google::protobuf::Message& message, int number, int index = 0) const;

  // The path from the root of the file: `static_resources.clusters[0]`; through Any messages as in the text.
  std::string path(const google::protobuf::Message& message) const;
  std::string path(const google::protobuf::Message& message, int number, int index = -1) const;

  // An error about a message, or about field `number` of it (element `index`, -1: the field as a whole).
  ConfigError error(const google::protobuf::Message& message, std::string text) const;
  ConfigError error(const google::protobuf::Message& message, int number, std::string text, int index = -1) const;

  // What was read into `any`, typed: the message of its @type, or, for a TypedStruct whose type we know, the message of
  // that type. Null when the Any is empty, was not read from a text, or its type is unknown. See any.h to unpack those
  // too.
  const google::protobuf::Message* unpacked(const google::protobuf::Any& any) const;

  // The file of a position; empty when unknown.
  const std::string& file(Position at) const;

  // ---- filling

  uint32_t add_file(std::string name);
  // `message` is the value of field `number` of `parent` (element `index`, -1 when not repeated). A null parent: a
  // root.
  void add_message(const google::protobuf::Message& message, const google::protobuf::Message* parent, int number,
                   int index, Position at);
  // As above, for an entry of a map: its path ends with ["key"].
  void add_map_value(const google::protobuf::Message& message, const google::protobuf::Message& parent, int number,
                     std::string_view key, Position at);
  // A field whose value is a message with a place of its own need not be added.
  void add_field(const google::protobuf::Message& message, int number, int index, Position at);
  // Keeps the content of `any`; returns the kept message. A second content replaces the first.
  google::protobuf::Message& adopt(const google::protobuf::Any& any,
                                   std::unique_ptr<google::protobuf::Message> content);

 private:
  // A Position in eight bytes.
  struct Place {
    explicit Place(Position at);
    Position position() const { return {line, column, file}; }

    uint32_t line;
    uint32_t column : Position::kColumnBits;
    uint32_t file : 32 - Position::kColumnBits;
  };
  static constexpr size_t kMaxFiles = size_t{1} << (32 - Position::kColumnBits);
  struct MessageSpot {
    const google::protobuf::Message* message;
    const google::protobuf::Message* parent;
    int number;
    int index;  // element; -1: not repeated; below: -2 - index into keys_
    Place at;
  };
  struct FieldSpot {
    const google::protobuf::Message* message;
    int number;
    int index;
    Place at;
  };
  static_assert(sizeof(MessageSpot) == 32 && sizeof(FieldSpot) == 24);
  const MessageSpot* find(const google::protobuf::Message& message) const;
  const MessageSpot* find_value(const google::protobuf::Message& message, int number, int index) const;
  void sort() const;

  std::vector<std::string> files_;
  std::vector<std::string> keys_;
  mutable std::deque<MessageSpot> messages_;
  mutable std::deque<FieldSpot> fields_;
  mutable bool sorted_ = true;
  std::unordered_map<const google::protobuf::Any*, std::unique_ptr<google::protobuf::Message>> contents_;
  std::unordered_map<const google::protobuf::Message*, const google::protobuf::Any*> holders_;
};

}  // namespace sluice::config
