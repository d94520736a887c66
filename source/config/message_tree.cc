#include "config/message_tree.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>

#include "base/strings.h"
#include "config/any.h"
#include "config/map_access.h"

namespace sluice::config {
namespace {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::MapKey;
using google::protobuf::MapValueConstRef;
using google::protobuf::Message;

// Control planes are no friends: a tree deeper than any real one is not followed.
constexpr int kMaxDepth = 100;

class Walk {
 public:
  explicit Walk(SourceMap& map) : map_(map) {}

  void visit(const Message& message, int depth) {
    const auto* reflection = message.GetReflection();
    const auto& unknown = reflection->GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count(); ++i) {
      found.push_back(cat(map_.path(message), map_.path(message).empty() ? "" : ": ", "field ",
                          unknown.field(i).number(), " of ", message.GetDescriptor()->full_name()));
    }
    if (depth >= kMaxDepth) return;
    if (message.GetDescriptor() == Any::descriptor()) {
      if (const auto content = unpack(static_cast<const Any&>(message), map_)) visit(**content, depth + 1);
      return;
    }
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      if (field->is_map()) {
        entries(message, *field, depth);
        continue;
      }
      if (!field->is_repeated()) {
        child(reflection->GetMessage(message, field), message, *field, -1, depth);
        continue;
      }
      const int size = reflection->FieldSize(message, field);
      for (int i = 0; i < size; ++i)
        child(reflection->GetRepeatedMessage(message, field, i), message, *field, i, depth);
    }
  }

  std::vector<std::string> found;

 private:
  void child(const Message& message, const Message& parent, const FieldDescriptor& field, int index, int depth) {
    map_.add_message(message, &parent, field.number(), index, {});
    visit(message, depth + 1);
  }

  void entries(const Message& parent, const FieldDescriptor& field, int depth) {
    if (field.message_type()->map_value()->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const bool texts = field.message_type()->map_key()->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    for_each_entry(parent, field, [&](const MapKey& key, const MapValueConstRef& value) {
      const Message& message = value.GetMessageValue();
      map_.add_map_value(message, parent, field.number(), texts ? key.GetStringValue() : std::string(), {});
      visit(message, depth + 1);
    });
  }

  SourceMap& map_;
};

}  // namespace

std::vector<std::string> add_tree(const Message& root, SourceMap& map) {
  map.add_message(root, nullptr, 0, -1, {});
  Walk walk(map);
  walk.visit(root, 0);
  return std::move(walk.found);
}

std::string bytes_of(const Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  return out;
}

}  // namespace sluice::config
