#include "config/map_access.h"

#include <algorithm>
#include <utility>
#include <vector>

// protobuf 3.21 lets a class of this name (of the CEL library, which we do not use) reach the map functions of
// Reflection, which are private for everybody else.
namespace google::protobuf::expr {

class CelMapReflectionFriend {
 public:
  static MapValueRef insert_or_lookup(Message& message, const FieldDescriptor& field, const MapKey& key) {
    MapValueRef value;
    message.GetReflection()->InsertOrLookupMapValue(&message, &field, key, &value);
    return value;
  }
  static MapIterator begin(Message& message, const FieldDescriptor& field) {
    return message.GetReflection()->MapBegin(&message, &field);
  }
  static MapIterator end(Message& message, const FieldDescriptor& field) {
    return message.GetReflection()->MapEnd(&message, &field);
  }
};

}  // namespace google::protobuf::expr

namespace sluice::config {

using google::protobuf::FieldDescriptor;
using google::protobuf::MapKey;
using google::protobuf::MapValueConstRef;
using google::protobuf::MapValueRef;
using google::protobuf::Message;
using Access = google::protobuf::expr::CelMapReflectionFriend;

MapValueRef map_value(Message& message, const FieldDescriptor& field, const MapKey& key) {
  return Access::insert_or_lookup(message, field, key);
}

void for_each_entry(const Message& message, const FieldDescriptor& field,
                    const std::function<void(const MapKey&, const MapValueConstRef&)>& visit) {
  // The iterator wants a mutable message although it changes nothing.
  Message& same = const_cast<Message&>(message);
  std::vector<std::pair<MapKey, MapValueConstRef>> entries;
  const auto end = Access::end(same, field);
  for (auto at = Access::begin(same, field); at != end; ++at) {
    entries.emplace_back(at.GetKey(), at.GetValueRef());
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, value] : entries) {
    visit(key, value);
  }
}

}  // namespace sluice::config
